import type { Stage } from '../run-stages.ts'
import autoscaling from './autoscaling.ts'
import backup from './backup.ts'
import fallback from './fallback.ts'
import faults from './faults.ts'
import gpu from './gpu.ts'
import load from './load.ts'
import observability from './observability.ts'
import outages from './outages.ts'
import policies from './policies.ts'
import promotion from './promotion.ts'
import request from './request.ts'
import rollout from './rollout.ts'
import scaling from './scaling.ts'
import sync from './sync.ts'

/** Side by side runs only what does not disturb the measurements or the faults of the other. */
export const stages: readonly Stage[] = [
  // While nothing has run yet, there is no worker to wait for.
  [[scaling]],
  [[sync], [request, gpu, load]],
  [[autoscaling], [fallback, policies]],
  [[faults]],
  [[outages], [promotion]],
  [[rollout]],
  [[backup]],
  [[observability]],
]
