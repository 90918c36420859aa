// Client of the gateway: the search, and the events of a suggestion.

/** A problem to show: `title`, `detail`; `offline` when the server could not be reached. */
export class ApiProblem extends Error {
  constructor(title, detail, { offline = false, retryAfter } = {}) {
    super(detail)
    this.title = title
    this.detail = detail
    this.offline = offline
    this.retryAfter = retryAfter
  }
}

/** GET /api/recipes. `search` is `{ingredients, diet, max}`. */
export async function findRecipes(search, { suggestion, signal }) {
  const query = new URLSearchParams({
    ingredients: search.ingredients.join(','),
    limit: '12',
    suggestion: String(suggestion),
  })
  if (search.diet) query.set('diet', search.diet)
  if (search.max) query.set('maxMinutes', search.max)
  const response = await reach(`/api/recipes?${query}`, { signal })
  return response.json()
}

const attempts = 6

/**
 * Calls `onEvent(type, data)` for each event of a request until `finished`. After a lost connection it resumes at the last
 * event; throws ApiProblem once that has failed six times in a row.
 */
export async function followEvents({ links, accessToken }, onEvent, signal) {
  let lastId = ''
  let failures = 0
  while (true) {
    try {
      const headers = { authorization: `Bearer ${accessToken}`, ...(lastId && { 'last-event-id': lastId }) }
      const response = await reach(links.events, { headers, signal })
      for await (const event of serverSentEvents(response.body)) {
        failures = 0
        if (event.id) lastId = event.id
        onEvent(event.type, event.data)
        if (event.type === 'finished') return
      }
      // The gateway closed the stream before the end: resume with another one.
      failures++
    } catch (error) {
      if (signal.aborted) throw error
      const isFinal = error instanceof ApiProblem && !error.offline && !error.retryAfter
      if (isFinal || ++failures >= attempts) throw error
    }
    if (failures >= attempts)
      throw new ApiProblem('Connection lost', 'The suggestion was interrupted.', { offline: true })
    await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 400 * 2 ** failures)))
    signal.throwIfAborted()
  }
}

/** Yields `{id, type, data}` from a body of server-sent events with JSON as data. */
async function* serverSentEvents(body) {
  let buffered = ''
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  while (true) {
    const { done, value } = await reader.read()
    if (done) return
    buffered += value
    const blocks = buffered.split('\n\n')
    buffered = blocks.pop()
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => splitField(line)))
      if (fields.data) yield { id: fields.id, type: fields.event, data: JSON.parse(fields.data) }
    }
  }
}

function splitField(line) {
  const colon = line.indexOf(': ')
  return [line.slice(0, colon), line.slice(colon + 2)]
}

/** fetch that throws ApiProblem for anything but success. */
async function reach(url, options) {
  let response
  try {
    response = await fetch(url, options)
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiProblem('Server unreachable', 'The connection to the server failed.', { offline: true })
  }
  if (response.ok) return response
  const problem = await response.json().catch(() => ({}))
  const retryAfter = Number(response.headers.get('retry-after')) || undefined
  throw new ApiProblem(
    problem.title ?? 'Something went wrong',
    problem.detail ?? `The server answered ${response.status}.`,
    { retryAfter },
  )
}
