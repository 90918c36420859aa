/** How much a merge may harm, from nothing to the loss of data. */
export type Risk = 'none' | 'low' | 'medium' | 'high' | 'critical'

export const risks: readonly Risk[] = ['none', 'low', 'medium', 'high', 'critical']

/** The highest of several; `none` of none. So the risk of a merge never falls when something is added to it. */
export function highest(list: readonly Risk[]): Risk {
  return risks[Math.max(0, ...list.map((risk) => risks.indexOf(risk)))] as Risk
}
