import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { PortForward } from '@kubernetes/client-node'
import { UsageError } from '#cli/errors.ts'
import type { Cluster } from './client.ts'
import { isReadyPod } from './pods.ts'

/** A port of 127.0.0.1 that leads to a Service. */
interface ForwardedPort {
  readonly port: number
  close(): void
}

interface Endpoint {
  readonly pod: string
  readonly port: number
}

/**
 * Forwards a free port of 127.0.0.1 to a Service. Each connection goes to a pod that is ready at that moment, so it outlives a restart.
 * @throws UsageError when the Service has no such port or no ready pod
 */
export async function forwardPort(
  cluster: Cluster,
  namespace: string,
  service: string,
  servicePort: number,
): Promise<ForwardedPort> {
  await findEndpoint(cluster, namespace, service, servicePort)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    // Whoever calls sees the connection break, and why is for its own message.
    socket.on('error', () => {})
    findEndpoint(cluster, namespace, service, servicePort)
      .then((endpoint) => connect(cluster, namespace, endpoint, socket))
      .catch(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** Passes bytes between a local connection and a port of a pod until one of both ends. */
async function connect(cluster: Cluster, namespace: string, { pod, port }: Endpoint, socket: Socket): Promise<void> {
  // The kubelet writes here when it cannot connect to the port.
  const refused = new Writable({
    write(chunk: Buffer, _, done) {
      if (chunk.length > 0) socket.destroy()
      done()
    },
  })
  const tunnel = await new PortForward(cluster.config).portForward(namespace, pod, [port], socket, refused, socket)
  // Only with retries, which we do not ask for, does the client give a function.
  if (typeof tunnel === 'function') return
  tunnel.on('close', () => socket.end())
  socket.on('close', () => tunnel.close())
  if (socket.destroyed) tunnel.close()
}

/** A ready pod behind a Service, and the port of the pod that the port of the Service leads to. */
async function findEndpoint(cluster: Cluster, namespace: string, name: string, servicePort: number): Promise<Endpoint> {
  const { spec } = await cluster.core.readNamespacedService({ namespace, name })
  const target = spec?.ports?.find(({ port }) => port === servicePort)?.targetPort
  if (target === undefined) throw new UsageError(`the Service ${namespace}/${name} has no port ${servicePort}`)
  const labelSelector = Object.entries(spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { items } = await cluster.core.listNamespacedPod({ namespace, labelSelector })
  const pod = items.find(isReadyPod)
  if (pod === undefined) throw new UsageError(`the Service ${namespace}/${name} has no pod that is ready`)
  const ports = pod.spec?.containers.flatMap(({ ports = [] }) => ports) ?? []
  const port = typeof target === 'number' ? target : ports.find((entry) => entry.name === target)?.containerPort
  if (port === undefined) throw new UsageError(`no container of ${namespace}/${name} has a port named ${target}`)
  return { pod: pod.metadata?.name ?? '', port }
}
