/** What went wrong, by the API's stable code, and the field that is meant, where it is one; `unreachable` where no answer came at all, `no-answer` where it did not come to what changes something, which may be done all the same; `offline` where there was no network to ask by. */
export class Problem extends Error {
  constructor(readonly code: string, readonly status: number, readonly field?: string) {
    super(code)
    this.name = 'Problem'
  }

  /** Worth asking again without a person's help. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500
  }
}
