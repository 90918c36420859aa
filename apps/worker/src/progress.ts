import type { PullProgress } from './ollama.ts'

/** A progress line: share and bytes of the whole model, and the rate since the last line. */
type ProgressLine = { percent: number; completedMB: number; totalMB: number; mbPerSecond: number }

/**
 * Adds up the layers of a pull and returns a line at most every `everyMs`. `total` grows while Ollama still announces layers, so
 * the share may fall once at the beginning.
 */
export function createProgress(everyMs: number, now: () => number = () => performance.now()) {
  const layers = new Map<string, { total: number; completed: number }>()
  let last = { at: now(), completed: 0 }

  return (progress: PullProgress): ProgressLine | undefined => {
    if (progress.digest === undefined || !progress.total) return undefined
    layers.set(progress.digest, { total: progress.total, completed: progress.completed ?? 0 })
    const at = now()
    if (at - last.at < everyMs) return undefined
    const sum = (field: 'total' | 'completed') => [...layers.values()].reduce((all, layer) => all + layer[field], 0)
    const [completed, total] = [sum('completed'), sum('total')]
    const mbPerSecond = (completed - last.completed) / 1e6 / ((at - last.at) / 1000)
    last = { at, completed }
    return {
      percent: Math.floor((100 * completed) / total),
      completedMB: Math.round(completed / 1e6),
      totalMB: Math.round(total / 1e6),
      mbPerSecond: Math.round(mbPerSecond * 10) / 10,
    }
  }
}
