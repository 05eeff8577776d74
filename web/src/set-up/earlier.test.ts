import { expect, it } from 'vitest'
import { earlier } from './earlier'

it('given trunks that did not take a call when told then one that said nothing is told in a word, and a code as it is', () => {
  expect(earlier('main 0', 'بی‌پاسخ')).toBe('main (بی‌پاسخ)')
  expect(earlier('main 0, line-0 503, third 0', 'no answer')).toBe('main (no answer), line-0 503, third (no answer)')
})
