/** What went wrong, by the API's stable code; `unreachable` where no answer came at all, `offline` where there was no network to ask by. */
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
