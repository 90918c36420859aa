import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { generate } from 'selfsigned'

interface PullRequest {
  readonly url: string
  readonly baseRefName: string
  readonly headRefName: string
  readonly title: string
  readonly body: string
}

/** Takes the place of api.github.com: answers what `gh pr list` and `gh pr create` ask, over TLS, to programs that use it as their proxy. */
export async function startGitHub(folder: string) {
  const pulls: PullRequest[] = []
  const asked: string[] = []
  const { private: key, cert } = await certificate()
  const api = createSecureServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = (status: number, body: object) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }
      if (request.headers.authorization !== 'token right') return answer(401, { message: 'Bad credentials' })
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as Question
      const [, operation = ''] = /\b(?:query|mutation) (\w+)/.exec(query) ?? []
      asked.push(operation)
      const data = operations[operation]?.(variables, pulls)
      answer(200, data === undefined ? { errors: [{ message: `${operation} is not played here` }] } : { data })
    })
  })
  const port = await listening(api)
  const proxy = createServer()
  proxy.on('connect', (_, client) => {
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
  })
  const address = `http://127.0.0.1:${await listening(proxy)}`
  const [authority, config] = [join(folder, 'authority.pem'), join(folder, 'gh')]
  writeFileSync(authority, cert)
  mkdirSync(config)
  const environment = { HTTPS_PROXY: address, SSL_CERT_FILE: authority, GH_CONFIG_DIR: config, GH_TOKEN: 'right' }
  const stop = () => {
    proxy.close()
    api.close()
    api.closeAllConnections()
  }
  return { environment, pulls, asked, stop }
}

interface Question {
  readonly query: string
  readonly variables: { readonly headBranch?: string; readonly input?: Omit<PullRequest, 'url'> }
}

/** The parts of GitHub's GraphQL API that gh 2 uses for these two commands. */
const operations: Record<string, (variables: Question['variables'], pulls: PullRequest[]) => object> = {
  PullRequestList: ({ headBranch }, pulls) => {
    const nodes = pulls.filter(({ headRefName }) => headRefName === headBranch)
    return { repository: { pullRequests: { totalCount: nodes.length, nodes, pageInfo: { hasNextPage: false } } } }
  },
  RepositoryInfo: () => ({
    repository: {
      id: 'R_1',
      name: 'inference-platform',
      owner: { login: 'example' },
      viewerPermission: 'WRITE',
      defaultBranchRef: { name: 'main' },
    },
  }),
  PullRequestForBranch: ({ headBranch }, pulls) => ({
    repository: { pullRequests: { nodes: pulls.filter(({ headRefName }) => headRefName === headBranch) } },
  }),
  PullRequestCreate: ({ input }, pulls) => {
    const url = `https://github.com/example/inference-platform/pull/${pulls.length + 1}`
    if (input !== undefined) pulls.push({ ...input, url })
    return { createPullRequest: { pullRequest: { id: 'PR_1', url } } }
  },
}

async function certificate() {
  const altNames = [{ type: 2 as const, value: 'api.github.com' }]
  const extensions = [{ name: 'subjectAltName' as const, altNames }]
  return generate([{ name: 'commonName', value: 'api.github.com' }], { keySize: 2048, extensions })
}

async function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
