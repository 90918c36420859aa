/** How much harm a merge may do, from none to data loss. */
export type Risk = 'none' | 'low' | 'medium' | 'high' | 'critical'

export const risks: readonly Risk[] = ['none', 'low', 'medium', 'high', 'critical']

/** The highest of several; `none` for an empty list. So the risk of a merge never decreases when something is added to it. */
export function highest(list: readonly Risk[]): Risk {
  return risks[Math.max(0, ...list.map((risk) => risks.indexOf(risk)))] as Risk
}
