import { createInterface } from 'node:readline/promises'
import { UsageError } from '#cli/errors.ts'
import { checkValues, completeValues } from './values.ts'

const questions: Readonly<Record<string, string>> = {
  organisation: 'Owner of the repository at the Git server',
  git: 'Address from which Argo CD clones this repository',
  web: 'Address at which people read it',
  registry: 'Registry and path of the images',
  vault: 'Address of Vault',
  grafana: 'Address of Grafana',
  'storageClasses.fast': 'Storage class of stores and models',
  'storageClasses.standard': 'Storage class of backups',
  'storageClasses.shared': 'Storage class of volumes that several pods write to',
  'groups.operators': 'Group of the operators at the identity provider',
  'groups.developers': 'Group of the developers at the identity provider',
  'owners.operators': 'Code owner of prod and of the promotion',
  'owners.developers': 'Code owner of the rest',
}

/**
 * Asks on the terminal for every value that no option gave. An empty answer takes what is proposed in brackets; after a wrong one it asks again.
 * @throws UsageError where the questions are cancelled with Ctrl-C or Ctrl-D
 */
export async function askValues(
  given: ReadonlyMap<string, string>,
  old: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const closed = new AbortController()
  terminal.once('close', () => closed.abort())
  const ask = (question: string) =>
    terminal.question(question, { signal: closed.signal }).catch(() => {
      throw new UsageError('cancelled; nothing was changed')
    })
  const answers = new Map(given)
  process.stdout.write('Press Enter to accept the value in brackets, Ctrl-C to cancel.\n')
  try {
    for (const key of old.keys()) {
      if (given.has(key)) continue
      // An answer changes what the later questions propose.
      for (;;) {
        const proposed = completeValues(answers, old).get(key) ?? ''
        const question = questions[key] ?? `Host name of ${key.replace('hosts.', '')}`
        const answer = (await ask(`${question} [${proposed}]: `)).trim() || proposed
        const fault = await faultOf(key, answer, old)
        if (fault === undefined) {
          answers.set(key, answer)
          break
        }
        process.stdout.write(`${fault}\n`)
      }
    }
  } finally {
    terminal.close()
  }
  return answers
}

/** What is wrong with one answer by itself: two hosts may be the same until all are answered. */
async function faultOf(key: string, answer: string, old: ReadonlyMap<string, string>): Promise<string | undefined> {
  try {
    await checkValues(new Map([...old, [key, answer]]))
  } catch (error) {
    const { message } = error as Error
    return message.includes('are both') ? undefined : message
  }
  return undefined
}
