import { broker } from './broker.ts'
import { gitops } from './gitops.ts'
import { gpu } from './gpu.ts'
import { inference } from './inference.ts'
import type { Dashboard } from './model.ts'
import { overview } from './overview.ts'
import { scaling } from './scaling.ts'
import { stores } from './stores.ts'

/** Every dashboard, in the order in which one looks. */
export const dashboards: readonly Dashboard[] = [overview, inference, scaling, broker, stores, gpu, gitops]
