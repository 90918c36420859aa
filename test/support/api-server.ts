import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { stringify } from 'yaml'

/**
 * Starts the stand-in of an API server, and lets KUBECONFIG name a file that leads to it.
 * @param kubeconfig the content of the file, for the port of 127.0.0.1 that the server got
 * @returns the folder of the file `config`, and what undoes all of it
 */
export async function startApiServer(server: HttpServer | HttpsServer, kubeconfig: (port: number) => object) {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  writeFileSync(join(folder, 'config'), stringify(kubeconfig(port)))
  vi.stubEnv('KUBECONFIG', join(folder, 'config'))
  const stop = () => {
    vi.unstubAllEnvs()
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  }
  return { folder, stop }
}
