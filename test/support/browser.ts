import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Path of the Chromium of this system: CHROMIUM_PATH, or one of the usual places; undefined, with a warning, if there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH
  if (named && !existsSync(named)) throw new Error(`CHROMIUM_PATH is ${named}, but that file does not exist`)
  const found = named ?? usualPlaces.find((path) => existsSync(path))
  if (!found) {
    const line = '!'.repeat(100)
    console.warn(
      `\n${line}\n  SKIPPED: the tests of the recipe page in a browser, because no Chromium is in the usual places.\n` +
        `  Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH, and run again.\n${line}\n`,
    )
  }
  return found
}

export async function startChromium(executablePath: string): Promise<Browser> {
  // A container that runs the tests as root has no namespaces for the sandbox, and no room in /dev/shm.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
