import { Problem } from '../api/problem'
import type { Text } from './fa'

type ProblemCode = keyof Text['problem']

/** What went wrong, in words. */
export function problemText(text: Text, error: unknown): string {
  const code = error instanceof Problem ? error.code : 'unknown'
  return code in text.problem ? text.problem[code as ProblemCode] : text.problem.unknown
}
