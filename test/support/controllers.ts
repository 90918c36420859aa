import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The controllers that make pods of workloads. */
const controllers = ['deployment-controller', 'replicaset-controller', 'statefulset-controller', 'daemonset-controller']

/** Starts Kubernetes' real controllers on a throwaway API server, does the work and stops them. */
export async function withControllers<T>(program: string, kubeconfig: string, work: () => Promise<T>): Promise<T> {
  const child = spawn(
    program,
    [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${controllers.join(',')}`,
      '--leader-elect=false',
      '--secure-port=0',
      // A test has many small workloads at once; by default the controllers wait between their requests.
      '--kube-api-qps=500',
      '--kube-api-burst=500',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const lines: string[] = []
  child.stderr.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')))
  const ended = once(child, 'exit').then(() => {
    throw new Error(`kube-controller-manager ended:\n${lines.slice(-10).join('\n')}`)
  })
  ended.catch(() => {})
  try {
    return await Promise.race([work(), ended])
  } finally {
    child.kill('SIGKILL')
    await ended.catch(() => {})
  }
}
