// Load for bench/gateway.ts, which sets the environment. An open model: k6 starts RATE requests per second, independent of response times.
import http from 'k6/http'

const { RATE, SECONDS, URL, KEY, VUS, SUMMARY } = __ENV
const duration = `${SECONDS}s`

export const options = {
  scenarios: {
    submit: RATE
      ? { executor: 'constant-arrival-rate', rate: Number(RATE), duration, preAllocatedVUs: Number(VUS), maxVUs: Number(VUS) }
      : { executor: 'constant-vus', vus: Number(VUS), duration },
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: true,
  // Unused tags would cost k6, which shares the machine, as much as the requests.
  systemTags: [],
}

const body = JSON.stringify({ prompt: 'A prompt of some hundred characters, as people write them. '.repeat(8), maxTokens: 16 })
const params = { headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' } }

export default function () {
  http.post(URL, body, params)
}

export function handleSummary(data) {
  return { [SUMMARY]: JSON.stringify(data.metrics) }
}
