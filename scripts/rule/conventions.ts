import { programOf } from '#platform/programs.ts'
import { queuesByNamespace } from '#platform/rabbitmq-definitions.ts'
import { settingsOf } from '#platform/settings.ts'
import type { Convention } from './define-rule.ts'

/** What else exists in the cluster is declared; without that, an object that is missing here may exist there. */
export const declarations: Convention = {
  what: 'a check.yaml that declares what exists without being rendered',
  isIn: (environment) => environment.isWhole,
}

/** Like {@link declarations}, for a rule that can check some of it without them. */
export const someDeclarations: Convention = { ...declarations, partly: true }

/** Where there is none, isolation may be configured elsewhere, or not intended. */
export const networkPolicies: Convention = {
  what: 'a NetworkPolicy',
  isIn: (environment) => environment.ofKind('NetworkPolicy', 'networking.k8s.io').length > 0,
}

export const brokerDefinitions: Convention = {
  what: 'definitions of RabbitMQ queues',
  isIn: (environment) => queuesByNamespace(environment).size > 0,
}

export const platformImage: Convention = {
  what: 'an image of this platform (inference-gateway, inference-worker, inference-collector)',
  isIn: ({ workloads }) => workloads.some(({ containers }) => containers.some((container) => programOf(container))),
}

/** A program that reads one of the variables by which the services of this platform are configured. */
export function settings(...names: readonly string[]): Convention {
  return {
    what: `a program that reads ${names.join(' or ')}`,
    isIn: (environment) => names.some((name) => settingsOf(environment, name).length > 0),
  }
}
