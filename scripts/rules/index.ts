import type { Rule } from '#rule/define-rule.ts'
import addressNamespace from './address-namespace.ts'
import addressResolves from './address-resolves.ts'
import alertActionable from './alert-actionable.ts'
import alertExpression from './alert-expression.ts'
import alertJobScraped from './alert-job-scraped.ts'
import applicationPath from './application-path.ts'
import applicationProject from './application-project.ts'
import applicationRepository from './application-repository.ts'
import backendExists from './backend-exists.ts'
import claimShared from './claim-shared.ts'
import claimWritable from './claim-writable.ts'
import classExists from './class-exists.ts'
import configMapExists from './config-map-exists.ts'
import connectionAllowed from './connection-allowed.ts'
import connectionDeclared from './connection-declared.ts'
import cronJobConcurrency from './cron-job-concurrency.ts'
import cronJobSchedule from './cron-job-schedule.ts'
import cronJobSuspended from './cron-job-suspended.ts'
import cronJobTimeZone from './cron-job-time-zone.ts'
import dataKept from './data-kept.ts'
import dnsAllowed from './dns-allowed.ts'
import emptyDirFits from './empty-dir-fits.ts'
import envReferencesExist from './env-references-exist.ts'
import envSourceEmpty from './env-source-empty.ts'
import environmentsApart from './environments-apart.ts'
import ephemeralStorage from './ephemeral-storage.ts'
import exporterLogin from './exporter-login.ts'
import extendedResources from './extended-resources.ts'
import externalSecretTemplate from './external-secret-template.ts'
import gatewayAcceptsRoute from './gateway-accepts-route.ts'
import gatewayListeners from './gateway-listeners.ts'
import gpuPlacement from './gpu-placement.ts'
import gpuRequired from './gpu-required.ts'
import gracePeriodOutlastsDrain from './grace-period-outlasts-drain.ts'
import histogramBound from './histogram-bound.ts'
import hostUsers from './host-users.ts'
import ignoreDifferencesMatch from './ignore-differences-match.ts'
import imageFromVersions from './image-from-versions.ts'
import imagePinned from './image-pinned.ts'
import imagePullPolicy from './image-pull-policy.ts'
import imageRegistry from './image-registry.ts'
import imageVersionsAgree from './image-versions-agree.ts'
import jobBounded from './job-bounded.ts'
import jobReplaceable from './job-replaceable.ts'
import jobRuns from './job-runs.ts'
import jobTimeoutFits from './job-timeout-fits.ts'
import jsonValid from './json-valid.ts'
import kedaRabbitmqQueue from './keda-rabbitmq-queue.ts'
import kedaRabbitmqTrigger from './keda-rabbitmq-trigger.ts'
import kedaTriggerAddress from './keda-trigger-address.ts'
import limitRangeAdmits from './limit-range-admits.ts'
import limitsCoverRequests from './limits-cover-requests.ts'
import loopbackPort from './loopback-port.ts'
import memberExists from './member-exists.ts'
import memoryInBytes from './memory-in-bytes.ts'
import memoryLimit from './memory-limit.ts'
import metricExported from './metric-exported.ts'
import modelRegistryReachable from './model-registry-reachable.ts'
import modelsAgree from './models-agree.ts'
import monitorPort from './monitor-port.ts'
import monitorSelects from './monitor-selects.ts'
import monitorTimeout from './monitor-timeout.ts'
import mountedFileExists from './mounted-file-exists.ts'
import namespaceDeclared from './namespace-declared.ts'
import namespacePodSecurity from './namespace-pod-security.ts'
import networkPolicyNarrow from './network-policy-narrow.ts'
import networkPolicyPeerExists from './network-policy-peer-exists.ts'
import networkPolicyPortExists from './network-policy-port-exists.ts'
import networkPolicySelectsPods from './network-policy-selects-pods.ts'
import numericUser from './numeric-user.ts'
import objectOwnedOnce from './object-owned-once.ts'
import ollamaContextLength from './ollama-context-length.ts'
import ollamaParallelism from './ollama-parallelism.ts'
import oneScaler from './one-scaler.ts'
import ownServiceAccount from './own-service-account.ts'
import parity from './parity.ts'
import pdbAllowsDisruption from './pdb-allows-disruption.ts'
import pdbDisjoint from './pdb-disjoint.ts'
import pdbExists from './pdb-exists.ts'
import pdbProtects from './pdb-protects.ts'
import pdbSelectsPods from './pdb-selects-pods.ts'
import pdbUnhealthyPods from './pdb-unhealthy-pods.ts'
import persistentVolumeClaimExists from './persistent-volume-claim-exists.ts'
import placeholderLeft from './placeholder-left.ts'
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
import portScheme from './port-scheme.ts'
import preStopFits from './pre-stop-fits.ts'
import probePortDeclared from './probe-port-declared.ts'
import probeValid from './probe-valid.ts'
import probesDistinct from './probes-distinct.ts'
import probesPresent from './probes-present.ts'
import programConfigured from './program-configured.ts'
import programEndpoints from './program-endpoints.ts'
import projectAdmitsObjects from './project-admits-objects.ts'
import quotaHolds from './quota-holds.ts'
import quotaNeedsResources from './quota-needs-resources.ts'
import rabbitmqConfiguration from './rabbitmq-configuration.ts'
import rabbitmqQueueSafe from './rabbitmq-queue-safe.ts'
import readOnlyRootFilesystem from './read-only-root-filesystem.ts'
import redisMaxmemory from './redis-maxmemory.ts'
import referenceGrant from './reference-grant.ts'
import referenceHashSuffix from './reference-hash-suffix.ts'
import removedApi from './removed-api.ts'
import replicasRun from './replicas-run.ts'
import resourceRequests from './resource-requests.ts'
import restartPolicy from './restart-policy.ts'
import roleExists from './role-exists.ts'
import rolloutKeepsPods from './rollout-keeps-pods.ts'
import routeRules from './route-rules.ts'
import scaledObjectFallback from './scaled-object-fallback.ts'
import scaledObjectScaleToZero from './scaled-object-scale-to-zero.ts'
import scaledObjectTriggerNames from './scaled-object-trigger-names.ts'
import scalerBounds from './scaler-bounds.ts'
import scalerNeedsRequests from './scaler-needs-requests.ts'
import scalerOwnsReplicas from './scaler-owns-replicas.ts'
import scalerTargetExists from './scaler-target-exists.ts'
import scalerValid from './scaler-valid.ts'
import secretExists from './secret-exists.ts'
import secretInPlainSight from './secret-in-plain-sight.ts'
import secretStoreExists from './secret-store-exists.ts'
import selectorMatchesTemplate from './selector-matches-template.ts'
import selectorsDisjoint from './selectors-disjoint.ts'
import serviceAccountExists from './service-account-exists.ts'
import serviceAccountToken from './service-account-token.ts'
import servicePorts from './service-ports.ts'
import serviceRecognized from './service-recognized.ts'
import serviceSelectsPods from './service-selects-pods.ts'
import serviceTargetPort from './service-target-port.ts'
import serviceWave from './service-wave.ts'
import standardLabels from './standard-labels.ts'
import statefulSetService from './stateful-set-service.ts'
import storeConfiguration from './store-configuration.ts'
import syncAnnotations from './sync-annotations.ts'
import syncWaveOrder from './sync-wave-order.ts'
import tokenNotMounted from './token-not-mounted.ts'
import topologySpreadSelectsOwnPods from './topology-spread-selects-own-pods.ts'
import triggerAuthenticationExists from './trigger-authentication-exists.ts'
import uniqueEnvNames from './unique-env-names.ts'
import uniquePorts from './unique-ports.ts'
import updateStrategy from './update-strategy.ts'
import userKnown from './user-known.ts'
import validLabels from './valid-labels.ts'
import validNames from './valid-names.ts'
import versionLabelSet from './version-label-set.ts'
import volumeGroup from './volume-group.ts'
import volumeMountDeclared from './volume-mount-declared.ts'
import volumeUsed from './volume-used.ts'

/** Every rule, in the order their findings are printed. */
export const rules: readonly Rule[] = [
  addressNamespace,
  addressResolves,
  alertActionable,
  alertExpression,
  alertJobScraped,
  applicationPath,
  applicationProject,
  applicationRepository,
  backendExists,
  claimShared,
  claimWritable,
  classExists,
  configMapExists,
  connectionAllowed,
  connectionDeclared,
  cronJobSuspended,
  cronJobConcurrency,
  cronJobSchedule,
  cronJobTimeZone,
  dataKept,
  dnsAllowed,
  emptyDirFits,
  envReferencesExist,
  envSourceEmpty,
  environmentsApart,
  ephemeralStorage,
  exporterLogin,
  extendedResources,
  externalSecretTemplate,
  gatewayAcceptsRoute,
  gatewayListeners,
  gpuPlacement,
  gpuRequired,
  gracePeriodOutlastsDrain,
  histogramBound,
  hostUsers,
  ignoreDifferencesMatch,
  imageFromVersions,
  imagePinned,
  imagePullPolicy,
  imageRegistry,
  imageVersionsAgree,
  jobBounded,
  jobReplaceable,
  jobRuns,
  jobTimeoutFits,
  jsonValid,
  kedaRabbitmqQueue,
  kedaRabbitmqTrigger,
  kedaTriggerAddress,
  limitRangeAdmits,
  limitsCoverRequests,
  loopbackPort,
  memberExists,
  memoryInBytes,
  memoryLimit,
  metricExported,
  modelRegistryReachable,
  modelsAgree,
  monitorPort,
  monitorSelects,
  monitorTimeout,
  mountedFileExists,
  namespaceDeclared,
  namespacePodSecurity,
  networkPolicyNarrow,
  networkPolicyPeerExists,
  networkPolicyPortExists,
  networkPolicySelectsPods,
  numericUser,
  objectOwnedOnce,
  ollamaContextLength,
  ollamaParallelism,
  oneScaler,
  ownServiceAccount,
  parity,
  pdbAllowsDisruption,
  pdbDisjoint,
  pdbExists,
  pdbProtects,
  pdbSelectsPods,
  pdbUnhealthyPods,
  persistentVolumeClaimExists,
  placeholderLeft,
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
  portScheme,
  preStopFits,
  probePortDeclared,
  probeValid,
  probesDistinct,
  probesPresent,
  programConfigured,
  programEndpoints,
  projectAdmitsObjects,
  quotaHolds,
  quotaNeedsResources,
  rabbitmqConfiguration,
  rabbitmqQueueSafe,
  readOnlyRootFilesystem,
  redisMaxmemory,
  referenceGrant,
  referenceHashSuffix,
  removedApi,
  replicasRun,
  resourceRequests,
  restartPolicy,
  roleExists,
  rolloutKeepsPods,
  routeRules,
  scaledObjectFallback,
  scaledObjectScaleToZero,
  scaledObjectTriggerNames,
  scalerBounds,
  scalerNeedsRequests,
  scalerOwnsReplicas,
  scalerTargetExists,
  scalerValid,
  secretExists,
  secretInPlainSight,
  secretStoreExists,
  selectorMatchesTemplate,
  selectorsDisjoint,
  serviceAccountExists,
  serviceAccountToken,
  servicePorts,
  serviceRecognized,
  serviceSelectsPods,
  serviceTargetPort,
  serviceWave,
  standardLabels,
  statefulSetService,
  storeConfiguration,
  syncAnnotations,
  syncWaveOrder,
  tokenNotMounted,
  topologySpreadSelectsOwnPods,
  triggerAuthenticationExists,
  uniqueEnvNames,
  uniquePorts,
  updateStrategy,
  userKnown,
  validLabels,
  validNames,
  versionLabelSet,
  volumeGroup,
  volumeMountDeclared,
  volumeUsed,
]
