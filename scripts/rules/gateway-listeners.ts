import { at, items, show, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'gateway-listeners',
  category: 'networking',
  severity: 'error',
  summary:
    'The listeners of a Gateway differ in port, protocol or host name; an HTTPS listener has a certificate, and an HTTP listener has no tls.',
  why: 'The API server rejects the Gateway: the validation rules of its definition cannot be expressed as a JSON schema.',
  fix: 'Give each listener its own host name or port, and certificateRefs where protocol is HTTPS.',
  check(environment, report) {
    for (const gateway of environment.ofKind('Gateway', 'gateway.networking.k8s.io')) {
      const seen = new Map<string, string>()
      for (const [index, listener] of items(at(gateway.raw, 'spec', 'listeners')).entries()) {
        const path = ['spec', 'listeners', index]
        const name = text(at(listener, 'name'))
        const protocol = text(at(listener, 'protocol'))
        const key = [at(listener, 'port'), protocol, at(listener, 'hostname') ?? '*'].map(show).join(' ')
        const other = seen.get(key)
        if (other !== undefined)
          report(
            gateway,
            path,
            `listener "${name}" has the same port, protocol and host name as listener "${other}"`,
            'Give it a hostname or a port of its own.',
          )
        seen.set(key, name ?? '')
        const tls = at(listener, 'tls')
        if (protocol === 'HTTP' && tls !== undefined)
          report(
            gateway,
            [...path, 'tls'],
            `listener "${name}" has tls, which protocol HTTP does not allow`,
            'Remove tls, or set protocol to HTTPS.',
          )
        const terminates = (text(at(tls, 'mode')) ?? 'Terminate') === 'Terminate'
        if (
          protocol === 'HTTPS' &&
          terminates &&
          items(at(tls, 'certificateRefs')).length === 0 &&
          at(tls, 'options') === undefined
        )
          report(
            gateway,
            tls === undefined ? path : [...path, 'tls'],
            `listener "${name}" terminates TLS without a certificate; expected tls.certificateRefs`,
            'Add tls.certificateRefs with the name of the Secret that holds the certificate.',
          )
      }
    }
  },
})
