/** Histories of a line, with what each comes to; `tests/hotline/line/test_order_cases.py` asks the server the same. */
import { describe, expect, it } from 'vitest'
import { judge } from './meanwhile'
import cases from './order-cases.json'

type Entry = Parameters<typeof judge>[0][number]

describe('who was called while I stood in the line', () => {
  it.each(cases)('given that $given when the calls are judged then the answer is the server’s', ({ mine, entries, called, before, unexplained }) => {
    const all = entries as unknown as Entry[]
    expect(judge(all.filter(([, , , , registration]) => registration === mine), all)).toMatchObject({ called, before, unexplained })
  })
})
