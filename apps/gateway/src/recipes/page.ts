import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { appFile } from './app-file.ts'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Only the page's own files, no inline script or style, no framing, and no HTML created from strings. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

type File = { type: string; plain: Buffer; brotli: Buffer; etag: string }

/**
 * Serves `public/` from memory: the page at `/`, which browsers revalidate each time, and the rest under `/assets/<hash>/`, which they
 * cache for a year, since different content has a different path. An old path returns the new content, uncached: during a rollout
 * the page of one gateway may request its files from another.
 */
export function servePage(app: FastifyInstance): void {
  const folder = appFile('public')
  const sources = readdirSync(folder)
    .sort()
    .map((name) => ({ name, content: readFileSync(join(folder, name)) }))
  const version = sources.reduce((hash, { name, content }) => hash.update(name).update(content), createHash('sha256'))
  const assets = `/assets/${version.digest('hex').slice(0, 12)}`

  const files = new Map<string, File>()
  for (const { name, content } of sources) {
    const plain = name.endsWith('.html') ? Buffer.from(content.toString().replaceAll('/assets', assets)) : content
    const etag = `"${createHash('sha256').update(plain).digest('hex').slice(0, 16)}"`
    files.set(name, {
      type: contentTypes[extname(name)] ?? 'application/octet-stream',
      plain,
      brotli: brotliCompressSync(plain),
      etag,
    })
  }

  app.get('/', { schema: { hide: true } }, (request, reply) => {
    reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': contentSecurityPolicy })
    return sendFile(request, reply, files.get('index.html'))
  })

  app.get<{ Params: { version: string; name: string } }>(
    '/assets/:version/:name',
    { schema: { hide: true } },
    (request, reply) => {
      const { version, name } = request.params
      const isCurrent = assets.endsWith(`/${version}`)
      reply.header('cache-control', isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache')
      return sendFile(request, reply, name === 'index.html' ? undefined : files.get(name))
    },
  )
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: File | undefined): FastifyReply {
  if (!file) {
    reply.removeHeader('cache-control').callNotFound()
    return reply
  }
  reply.headers({
    'content-type': file.type,
    etag: file.etag,
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
  if (request.headers['if-none-match']?.includes(file.etag)) return reply.code(304).send()
  const acceptsBrotli = /\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''))
  return acceptsBrotli ? reply.header('content-encoding', 'br').send(file.brotli) : reply.send(file.plain)
}
