import { LineCounter, type Scalar } from 'yaml'
import { type ParsedFile, parse } from './parsed-files.ts'

/** An inline patch is parsed alone; its lines are counted from where its block begins, its columns from the block's indentation. */
export function parseInline(parsed: ParsedFile, node: Scalar, content: string): ParsedFile[] {
  const start = parsed.lines.linePos(node.range?.[0] ?? 0)
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
  const outer = parsed.content.split('\n')
  return parse(parsed.file, content).map((inner) => {
    const innerLines = content.split('\n')
    const lines = new LineCounter()
    lines.linePos = (offset) => {
      const { line, col } = inner.lines.linePos(offset)
      // Between quotes lines may be folded or escaped, so only where they begin is sure.
      if (!isBlock) return start
      const indent = outer[start.line + line - 1]?.indexOf(innerLines[line - 1] ?? '') ?? 0
      return { line: start.line + line, col: Math.max(indent, 0) + col }
    }
    return { ...inner, lines }
  })
}
