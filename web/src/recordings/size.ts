import type { Format } from '../language/format'
import type { Text } from '../language/fa'

/** Bytes as people read them. */
export function sizeOf(bytes: number, words: Text['retention'], format: Format): string {
  const megabytes = bytes / 1e6
  return megabytes < 1000 ? words.megabytes(format.number(Math.ceil(megabytes))) : words.gigabytes(format.number(Math.round(megabytes / 100) / 10))
}
