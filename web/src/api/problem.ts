import type { Text } from '../language/fa'

export type ProblemCode = keyof Text['problem']

/** What went wrong, by the API's stable code; `unreachable` where no answer came at all. */
export class Problem extends Error {
  constructor(readonly code: string, readonly status: number) {
    super(code)
    this.name = 'Problem'
  }

  /** Worth asking again without a person's help. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500
  }
}

export function problemText(text: Text, error: unknown): string {
  const code = error instanceof Problem ? error.code : 'unknown'
  return code in text.problem ? text.problem[code as ProblemCode] : text.problem.unknown
}
