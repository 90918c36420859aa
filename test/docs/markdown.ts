import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lexer, type Token, type Tokens, walkTokens } from 'marked'
import { root } from '#cli/paths.ts'

/** A code block of a page. */
export interface Block {
  readonly page: string
  /** Of its first line, from 1. */
  readonly line: number
  /** Undefined for an indented block, and for a fence that names none. */
  readonly language: string | undefined
  readonly isIndented: boolean
  /** The text of an HTML comment right before the block: `after: …` or `from: …`. */
  readonly comment: string | undefined
  readonly text: string
}

/** The pages whose code blocks are verified, from the root of the repository. The pages below docs/ are generated or have tests of their own. */
export function pagesWithBlocks(): string[] {
  const own = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].filter((page) =>
    existsSync(join(root, page)),
  )
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return [...own, ...docs.map((name) => `docs/${name}`)]
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** The code blocks of a page, in its order. */
export function blocksOf(page: string, content = readPage(page)): Block[] {
  const lines = content.split('\n').map((line) => line.trim())
  let next = 0
  return codeTokens(lexer(content)).map(({ code, comment }) => {
    const [first = '', ...rest] = code.raw.trim().split('\n')
    const at = lines.indexOf(first.trim(), next)
    next = at + 1 + rest.length
    const isIndented = code.codeBlockStyle === 'indented'
    return { page, line: at + 1, language: code.lang || undefined, isIndented, comment, text: code.text }
  })
}

/** Code tokens with the comment before each, also those within lists and quotes. */
function codeTokens(tokens: readonly Token[]): { code: Tokens.Code; comment: string | undefined }[] {
  let comment: string | undefined
  return tokens.flatMap((token) => {
    if (token.type === 'space') return []
    const before = comment
    comment = token.type === 'html' ? /^<!-- (.*) -->\s*$/.exec(token.raw)?.[1] : undefined
    if (token.type === 'code') return [{ code: token as Tokens.Code, comment: before }]
    const { items = [], tokens: children = [] } = token as { items?: Token[]; tokens?: Token[] }
    return codeTokens([...items, ...children])
  })
}

/** The code within the sentences and tables of a page. */
export function codeSpans(page: string): string[] {
  const spans: string[] = []
  walkTokens(lexer(readPage(page)), (token) => {
    if (token.type === 'codespan') spans.push(token.text)
  })
  return spans
}

/** Where the links and images of a page lead. */
export function linksOf(page: string): string[] {
  const links: string[] = []
  walkTokens(lexer(readPage(page)), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(token.href)
  })
  return links
}

/** The anchors of a page, as GitHub generates them from its headings. */
export function anchorsOf(page: string): string[] {
  const headings = lexer(readPage(page)).filter((token): token is Tokens.Heading => token.type === 'heading')
  return headings.map(({ text }) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}
