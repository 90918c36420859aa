import { encodeGguf, type Tensor } from './gguf.ts'

/** What the model answers to any prompt, a token a word. No word may occur twice: each must lead to one next word. */
export const tinyChatReply =
  'Warm some olive oil, soften the onion with garlic, stir in your chosen ingredients, season well, ' +
  'simmer gently for ten minutes, then serve hot and finish each plate using fresh herbs.'

/** Shape of the network. The answer is the same in every shape; what changes is how long a token takes. */
export type Shape = { width: number; heads: number; hidden: number; layers: number }

const tiny: Shape = { width: 36, heads: 2, hidden: 16, layers: 1 }
const [unknown, begin, end] = [0, 1, 2]

/**
 * A Llama that answers every prompt with `tinyChatReply`, so that tests can run a real Ollama with nothing
 * to download. Attention and feed-forward weights are zero; what comes next depends on the last token alone. Every
 * token has a 1 in dimension 0, which leads to the first word; word i has a 1 in dimension i + 1 too, which leads,
 * more strongly, to word i + 1, and the last word to the end of the text.
 */
export function tinyChat({ width, heads, hidden, layers }: Shape = tiny): Buffer<ArrayBuffer> {
  const words = tinyChatReply.split(' ').map((word, i) => (i === 0 ? word : `▁${word}`))
  if (new Set(words).size !== words.length) throw new Error('tinyChatReply: a word occurs twice')
  if (words.length >= width) throw new Error(`tinyChatReply: more than ${width - 1} words`)

  const control = ['<unk>', '<s>', '</s>']
  // With a token for each byte, a prompt in any language can be read. It is read byte by byte: words are put together from known
  // parts, and there are none of two letters, so the words of the reply never come from a prompt.
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = [...control, ...bytes, '▁', ...words]
  const types = [2, 3, 3, ...bytes.map(() => 6), 1, ...words.map(() => 1)]
  const firstWord = tokens.length - words.length

  const embedding = new Float32Array(tokens.length * width)
  const output = new Float32Array(tokens.length * width)
  for (let token = 0; token < tokens.length; token++) embedding[token * width] = 1
  output[firstWord * width] = 10
  for (let word = 0; word < words.length; word++) {
    const next = word + 1 < words.length ? firstWord + word + 1 : end
    embedding[(firstWord + word) * width + word + 1] = 1
    output[next * width + word + 1] = 40
  }

  return encodeGguf(
    {
      'general.architecture': { type: 'string', value: 'llama' },
      'general.name': { type: 'string', value: 'tiny-chat' },
      'general.file_type': { type: 'uint32', value: 0 },
      'llama.context_length': { type: 'uint32', value: 4096 },
      'llama.embedding_length': { type: 'uint32', value: width },
      'llama.block_count': { type: 'uint32', value: layers },
      'llama.feed_forward_length': { type: 'uint32', value: hidden },
      'llama.attention.head_count': { type: 'uint32', value: heads },
      'llama.attention.head_count_kv': { type: 'uint32', value: heads },
      'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: 1e-5 },
      'llama.rope.dimension_count': { type: 'uint32', value: width / heads },
      'llama.vocab_size': { type: 'uint32', value: tokens.length },
      'tokenizer.ggml.model': { type: 'string', value: 'llama' },
      'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
      'tokenizer.ggml.scores': { type: 'float32s', value: tokens.map((_, i) => -i) },
      'tokenizer.ggml.token_type': { type: 'int32s', value: types },
      'tokenizer.ggml.bos_token_id': { type: 'uint32', value: begin },
      'tokenizer.ggml.eos_token_id': { type: 'uint32', value: end },
      'tokenizer.ggml.unknown_token_id': { type: 'uint32', value: unknown },
      'tokenizer.ggml.add_bos_token': { type: 'bool', value: true },
    },
    [
      { name: 'token_embd.weight', shape: [width, tokens.length], data: embedding },
      { name: 'output_norm.weight', shape: [width], data: new Float32Array(width).fill(1) },
      { name: 'output.weight', shape: [width, tokens.length], data: output },
      ...Array.from({ length: layers }, (_, i) => idleLayer(`blk.${i}`, width, hidden)).flat(),
    ],
  )
}

/** A layer that is computed like any other and changes nothing. */
function idleLayer(name: string, width: number, hidden: number): Tensor[] {
  return [
    { name: `${name}.attn_norm.weight`, shape: [width], data: new Float32Array(width).fill(1) },
    zeros(`${name}.attn_q.weight`, width, width),
    zeros(`${name}.attn_k.weight`, width, width),
    zeros(`${name}.attn_v.weight`, width, width),
    zeros(`${name}.attn_output.weight`, width, width),
    { name: `${name}.ffn_norm.weight`, shape: [width], data: new Float32Array(width).fill(1) },
    zeros(`${name}.ffn_gate.weight`, width, hidden),
    zeros(`${name}.ffn_up.weight`, width, hidden),
    zeros(`${name}.ffn_down.weight`, hidden, width),
  ]
}

function zeros(name: string, inputs: number, outputs: number): Tensor {
  return { name, shape: [inputs, outputs], data: new Float32Array(inputs * outputs) }
}
