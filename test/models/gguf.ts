/**
 * Writes GGUF version 3, the file format that llama.cpp and Ollama load, with 32-bit float tensors only.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export type MetadataValue =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'int32s' | 'float32s'; value: readonly number[] }

/** A tensor: `shape` has the fastest-moving dimension first, and `data` as many numbers as its product. */
export interface Tensor {
  name: string
  shape: readonly number[]
  data: Float32Array
}

const alignment = 32
const float32Tensor = 0
const typeCode = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const

/** The bytes of one GGUF file. The same input gives the same bytes on any machine. */
export function encodeGguf(
  metadata: Readonly<Record<string, MetadataValue>>,
  tensors: readonly Tensor[],
): Buffer<ArrayBuffer> {
  const entries = Object.entries(metadata)
  const header = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(entries.length)]
  for (const [key, entry] of entries) header.push(string(key), ...encodeValue(entry))
  let offset = 0
  for (const { name, shape, data } of tensors) {
    const size = shape.reduce((product, dimension) => product * dimension, 1)
    if (size !== data.length)
      throw new Error(`tensor ${name}: shape ${shape} holds ${size} numbers, got ${data.length}`)
    header.push(string(name), uint32(shape.length), ...shape.map(uint64), uint32(float32Tensor), uint64(offset))
    offset += padded(size * 4)
  }
  return Buffer.concat([pad(Buffer.concat(header)), ...tensors.map(({ data }) => pad(floats(data)))])
}

function encodeValue(entry: MetadataValue): Buffer[] {
  switch (entry.type) {
    case 'uint32':
      return [uint32(typeCode.uint32), uint32(entry.value)]
    case 'int32':
      return [uint32(typeCode.int32), int32(entry.value)]
    case 'float32':
      return [uint32(typeCode.float32), floats([entry.value])]
    case 'bool':
      return [uint32(typeCode.bool), Buffer.from([entry.value ? 1 : 0])]
    case 'string':
      return [uint32(typeCode.string), string(entry.value)]
    case 'strings':
      return [...arrayHeader(typeCode.string, entry.value.length), ...entry.value.map(string)]
    case 'int32s':
      return [...arrayHeader(typeCode.int32, entry.value.length), ...entry.value.map(int32)]
    case 'float32s':
      return [...arrayHeader(typeCode.float32, entry.value.length), floats(entry.value)]
  }
}

function arrayHeader(elementType: number, length: number): Buffer[] {
  return [uint32(typeCode.array), uint32(elementType), uint64(length)]
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function floats(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i] ?? 0, i * 4)
  return bytes
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint64(bytes.length), bytes])
}

function padded(size: number): number {
  return Math.ceil(size / alignment) * alignment
}

function pad(bytes: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)])
}
