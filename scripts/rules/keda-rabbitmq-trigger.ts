import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, show, text } from '#kubernetes/model/objects.ts'
import { toAddress } from '#kubernetes/network/addresses.ts'
import { type Trigger, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Source: keda.sh, RabbitMQ Queue scaler. */
const modes = [
  'QueueLength',
  'MessageRate',
  'DeliverGetRate',
  'PublishedToDeliveredRatio',
  'ExpectedQueueConsumptionTime',
]
const protocols = ['auto', 'amqp', 'http']
const parameters = [
  'host',
  'username',
  'password',
  'ca',
  'cert',
  'key',
  'keyPassword',
  'tls',
  'workloadIdentityResource',
  'vhostName',
  'queueName',
]

export default defineRule({
  id: 'keda-rabbitmq-trigger',
  category: 'scaling',
  severity: 'error',
  summary:
    'A rabbitmq trigger has a queue, a mode, a target above zero, a protocol that matches its host, and credentials that KEDA reads.',
  why: 'The metadata of a trigger has no schema: KEDA reports the error only when it builds the scaler, and then does not scale at all.',
  fix: 'Set queueName, mode, value and protocol as described in https://keda.sh/docs/latest/scalers/rabbitmq-queue, and credentials with authenticationRef.',
  check(environment, report) {
    for (const kind of ['ScaledObject', 'ScaledJob'])
      for (const object of environment.ofKind(kind, 'keda.sh'))
        for (const trigger of triggersOf(object)) {
          if (trigger.type !== 'rabbitmq') continue
          for (const { field, message, fix } of problemsOf(trigger)) {
            const has = field === 'metricType' ? at(trigger.raw, field) : trigger.metadata[field]
            const path = field === 'metricType' ? [field] : has === undefined ? ['metadata'] : ['metadata', field]
            report(object, [...trigger.path, ...path], message, fix)
          }
          const login = loginProblem(environment, object, trigger)
          if (login !== undefined) report(login.object, login.path, login.message, login.fix)
        }
  },
})

function* problemsOf({ metadata, raw }: Trigger): Generator<{ field: string; message: string; fix: string }> {
  const { queueName, mode, value, protocol, host, queueLength } = metadata
  if (!text(queueName))
    yield {
      field: 'queueName',
      message: 'the trigger has no queueName',
      fix: 'Set queueName to the queue that the workload consumes.',
    }
  // queueLength is the older form of mode and value.
  if (queueLength === undefined) {
    if (!modes.includes(show(mode)))
      yield {
        field: 'mode',
        message: `mode is ${mode === undefined ? 'not set' : `"${show(mode)}"`}; expected one of ${modes.join(', ')}`,
        fix: 'Set mode to QueueLength, to scale by the number of ready messages, or to another of these.',
      }
    if (!(Number(show(value)) > 0))
      yield {
        field: 'value',
        message: `value is ${value === undefined ? 'not set' : `"${show(value)}"`}; expected a number above zero`,
        fix: 'Set value to the number of messages (or messages per second, depending on mode) per pod.',
      }
  }
  const scheme = toAddress(text(host) ?? '')?.scheme?.replace(/s$/, '')
  if (protocol !== undefined && !protocols.includes(show(protocol)))
    yield {
      field: 'protocol',
      message: `protocol is "${show(protocol)}"; expected one of ${protocols.join(', ')}`,
      fix: `Set protocol to ${scheme ?? 'http'}.`,
    }
  if (scheme !== undefined && protocol !== undefined && protocol !== 'auto' && scheme !== protocol)
    yield {
      field: 'protocol',
      message: `protocol is "${show(protocol)}", but host is a ${scheme} address; expected "${scheme}"`,
      fix: `Set protocol to ${scheme}, or host to an ${show(protocol)} address.`,
    }
  if (at(raw, 'metricType') === 'Utilization')
    yield {
      field: 'metricType',
      message: 'metricType Utilization is for cpu and memory; expected AverageValue or Value',
      fix: 'Set metricType to AverageValue, or remove it.',
    }
}

/** The broker rejects anonymous clients: the user has to be in host, or come from a TriggerAuthentication. */
function loginProblem(
  environment: Environment,
  object: KubeObject,
  { metadata, raw, path }: Trigger,
): { object: KubeObject; path: (string | number)[]; message: string; fix: string } | undefined {
  const host = text(metadata.host)
  const inline =
    metadata.hostFromEnv !== undefined ||
    host === undefined ||
    host.includes('@') ||
    metadata.usernameFromEnv !== undefined
  const name = text(at(raw, 'authenticationRef', 'name'))
  if (name === undefined)
    return inline
      ? undefined
      : {
          object,
          path: [...path],
          message: 'the trigger has no credentials: neither authenticationRef nor a user in host',
          fix: 'Set authenticationRef.name to a TriggerAuthentication that provides username and password.',
        }
  const authentication = environment.find('TriggerAuthentication', object.namespace, name)
  if (authentication === undefined) return undefined
  const entries = items(at(authentication.raw, 'spec', 'secretTargetRef'))
  for (const [index, entry] of entries.entries()) {
    const parameter = text(at(entry, 'parameter')) ?? ''
    if (!parameters.includes(parameter))
      return {
        object: authentication,
        path: ['spec', 'secretTargetRef', index, 'parameter'],
        message: `the rabbitmq scaler reads no parameter "${parameter}"; expected one of ${parameters.join(', ')}`,
        fix: 'Set parameter to one of these, such as username or password.',
      }
  }
  return undefined
}
