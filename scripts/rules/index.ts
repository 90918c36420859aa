import type { Rule } from '../lib/rule.ts'
import serviceSelectsPods from './service-selects-pods.ts'
import serviceTargetPort from './service-target-port.ts'

/** Every rule, in the order their findings are printed. */
export const rules: readonly Rule[] = [serviceSelectsPods, serviceTargetPort]
