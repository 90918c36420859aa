/** One server-sent event; the data is JSON, so it never holds a line break. */
export function serverSentEvent(type: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** A comment that keeps proxies from closing an idle stream. */
export const keepAlive = ': keep-alive\n\n'
