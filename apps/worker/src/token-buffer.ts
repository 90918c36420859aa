type TokenBuffer = {
  push(text: string): void
  /** Writes the remaining text; resolves when it is written or writing has failed. */
  flush(): Promise<void>
}

/**
 * Buffers tokens so that there is one write per `intervalMs`, not one per token. Writes are in order, one at a time.
 * After a failed write nothing more is written: readers see the beginning of the text, never a text with a gap.
 */
export function createTokenBuffer(
  write: (text: string) => Promise<void>,
  onFailure: (error: Error) => void,
  intervalMs = 25,
): TokenBuffer {
  let pending = ''
  let failed = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function writePending(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const text = pending
    pending = ''
    writing = writing.then(async () => {
      if (text === '' || failed) return
      try {
        await write(text)
      } catch (error) {
        failed = true
        onFailure(error as Error)
      }
    })
    return writing
  }

  return {
    push(text) {
      if (failed) return
      pending += text
      timer ??= setTimeout(writePending, intervalMs)
    },
    flush: writePending,
  }
}
