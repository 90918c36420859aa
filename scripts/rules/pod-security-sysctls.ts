import { at, items, show } from '#kubernetes/model/objects.ts'
import { heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const safe = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]

export default defineRule({
  id: 'pod-security-sysctls',
  category: 'security',
  severity: 'error',
  summary: 'A pod sets only safe sysctls.',
  why: 'Other kernel parameters apply to the whole node; the kubelet rejects them unless the node allows them, and Pod Security admission rejects the pod.',
  fix: 'Remove the entry from securityContext.sysctls, or set the parameter on the node.',
  check(environment, report) {
    for (const { object, pod, podPath } of heldTo('baseline', environment)) {
      for (const [index, sysctl] of items(at(pod, 'securityContext', 'sysctls')).entries()) {
        const name = show(at(sysctl, 'name') ?? '')
        if (safe.includes(name)) continue
        const path = [...podPath, 'securityContext', 'sysctls', index]
        report(object, path, `the sysctl "${name}" is not safe; expected one of ${safe.join(', ')}`)
      }
    }
  },
})
