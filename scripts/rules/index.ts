import type { Rule } from '../lib/rule.ts'
import backendExists from './backend-exists.ts'
import classExists from './class-exists.ts'
import configmapExists from './configmap-exists.ts'
import gatewayAcceptsRoute from './gateway-accepts-route.ts'
import namespacePodSecurity from './namespace-pod-security.ts'
import persistentVolumeClaimExists from './persistent-volume-claim-exists.ts'
import podSecurityApparmor from './pod-security-apparmor.ts'
import podSecurityCapabilities from './pod-security-capabilities.ts'
import podSecurityHostNamespaces from './pod-security-host-namespaces.ts'
import podSecurityHostPorts from './pod-security-host-ports.ts'
import podSecurityHostProbes from './pod-security-host-probes.ts'
import podSecurityHostProcess from './pod-security-host-process.ts'
import podSecurityPrivilegeEscalation from './pod-security-privilege-escalation.ts'
import podSecurityPrivileged from './pod-security-privileged.ts'
import podSecurityProcMount from './pod-security-proc-mount.ts'
import podSecurityRunAsNonRoot from './pod-security-run-as-non-root.ts'
import podSecurityRunAsUser from './pod-security-run-as-user.ts'
import podSecuritySeccomp from './pod-security-seccomp.ts'
import podSecuritySelinux from './pod-security-selinux.ts'
import podSecuritySysctls from './pod-security-sysctls.ts'
import podSecurityVolumes from './pod-security-volumes.ts'
import referenceGrant from './reference-grant.ts'
import referenceHashSuffix from './reference-hash-suffix.ts'
import roleExists from './role-exists.ts'
import secretExists from './secret-exists.ts'
import secretStoreExists from './secret-store-exists.ts'
import serviceAccountExists from './service-account-exists.ts'
import serviceSelectsPods from './service-selects-pods.ts'
import serviceTargetPort from './service-target-port.ts'
import statefulsetService from './statefulset-service.ts'
import triggerAuthenticationExists from './trigger-authentication-exists.ts'

/** Every rule, in the order their findings are printed. */
export const rules: readonly Rule[] = [
  backendExists,
  classExists,
  configmapExists,
  gatewayAcceptsRoute,
  namespacePodSecurity,
  persistentVolumeClaimExists,
  podSecurityApparmor,
  podSecurityCapabilities,
  podSecurityHostNamespaces,
  podSecurityHostPorts,
  podSecurityHostProbes,
  podSecurityHostProcess,
  podSecurityPrivilegeEscalation,
  podSecurityPrivileged,
  podSecurityProcMount,
  podSecurityRunAsNonRoot,
  podSecurityRunAsUser,
  podSecuritySeccomp,
  podSecuritySelinux,
  podSecuritySysctls,
  podSecurityVolumes,
  referenceGrant,
  referenceHashSuffix,
  roleExists,
  secretExists,
  secretStoreExists,
  serviceAccountExists,
  serviceSelectsPods,
  serviceTargetPort,
  statefulsetService,
  triggerAuthenticationExists,
]
