import type { Rule } from '../lib/rule.ts'
import backendExists from './backend-exists.ts'
import classExists from './class-exists.ts'
import configmapExists from './configmap-exists.ts'
import gatewayAcceptsRoute from './gateway-accepts-route.ts'
import persistentVolumeClaimExists from './persistent-volume-claim-exists.ts'
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
  persistentVolumeClaimExists,
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
