import { expect, test } from 'vitest'
import { withLine } from './note-drafts'

test.each([
  ['', 'a', 'a'],
  ['a', 'a', 'a'],
  ['a\n', 'b', 'a\nb'],
  ['ab', 'a', 'ab\na'],
])('a ready note is a line of its own, once: %j + %j', (note, line, whole) => {
  expect(withLine(note, line)).toBe(whole)
})
