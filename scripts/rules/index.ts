import type { Rule } from '../lib/rule.ts'
import addressResolves from './address-resolves.ts'
import backendExists from './backend-exists.ts'
import classExists from './class-exists.ts'
import configmapExists from './configmap-exists.ts'
import connectionAllowed from './connection-allowed.ts'
import connectionDeclared from './connection-declared.ts'
import dnsAllowed from './dns-allowed.ts'
import ephemeralStorage from './ephemeral-storage.ts'
import extendedResources from './extended-resources.ts'
import gatewayAcceptsRoute from './gateway-accepts-route.ts'
import gpuPlacement from './gpu-placement.ts'
import imagePinned from './image-pinned.ts'
import imageRegistry from './image-registry.ts'
import kedaTriggerAddress from './keda-trigger-address.ts'
import limitsCoverRequests from './limits-cover-requests.ts'
import memoryLimit from './memory-limit.ts'
import monitorPort from './monitor-port.ts'
import monitorSelects from './monitor-selects.ts'
import namespacePodSecurity from './namespace-pod-security.ts'
import networkPolicyPeerExists from './network-policy-peer-exists.ts'
import networkPolicyPortExists from './network-policy-port-exists.ts'
import networkPolicySelectsPods from './network-policy-selects-pods.ts'
import oneScaler from './one-scaler.ts'
import pdbAllowsDisruption from './pdb-allows-disruption.ts'
import pdbDisjoint from './pdb-disjoint.ts'
import pdbExists from './pdb-exists.ts'
import pdbSelectsPods from './pdb-selects-pods.ts'
import pdbUnhealthyPods from './pdb-unhealthy-pods.ts'
import persistentVolumeClaimExists from './persistent-volume-claim-exists.ts'
import podIsolated from './pod-isolated.ts'
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
import resourceRequests from './resource-requests.ts'
import roleExists from './role-exists.ts'
import scaledobjectFallback from './scaledobject-fallback.ts'
import scaledobjectScaleToZero from './scaledobject-scale-to-zero.ts'
import scaledobjectTriggerNames from './scaledobject-trigger-names.ts'
import scalerBounds from './scaler-bounds.ts'
import scalerNeedsRequests from './scaler-needs-requests.ts'
import scalerOwnsReplicas from './scaler-owns-replicas.ts'
import scalerTargetExists from './scaler-target-exists.ts'
import secretExists from './secret-exists.ts'
import secretStoreExists from './secret-store-exists.ts'
import selectorMatchesTemplate from './selector-matches-template.ts'
import selectorsDisjoint from './selectors-disjoint.ts'
import serviceAccountExists from './service-account-exists.ts'
import serviceSelectsPods from './service-selects-pods.ts'
import serviceTargetPort from './service-target-port.ts'
import statefulsetService from './statefulset-service.ts'
import triggerAuthenticationExists from './trigger-authentication-exists.ts'

/** Every rule, in the order their findings are printed. */
export const rules: readonly Rule[] = [
  addressResolves,
  backendExists,
  classExists,
  configmapExists,
  connectionAllowed,
  connectionDeclared,
  dnsAllowed,
  ephemeralStorage,
  extendedResources,
  gatewayAcceptsRoute,
  gpuPlacement,
  imagePinned,
  imageRegistry,
  kedaTriggerAddress,
  limitsCoverRequests,
  memoryLimit,
  monitorPort,
  monitorSelects,
  namespacePodSecurity,
  networkPolicyPeerExists,
  networkPolicyPortExists,
  networkPolicySelectsPods,
  oneScaler,
  pdbAllowsDisruption,
  pdbDisjoint,
  pdbExists,
  pdbSelectsPods,
  pdbUnhealthyPods,
  persistentVolumeClaimExists,
  podIsolated,
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
  resourceRequests,
  roleExists,
  scaledobjectFallback,
  scaledobjectScaleToZero,
  scaledobjectTriggerNames,
  scalerBounds,
  scalerNeedsRequests,
  scalerOwnsReplicas,
  scalerTargetExists,
  secretExists,
  secretStoreExists,
  selectorMatchesTemplate,
  selectorsDisjoint,
  serviceAccountExists,
  serviceSelectsPods,
  serviceTargetPort,
  statefulsetService,
  triggerAuthenticationExists,
]
