import { describe, expect, it } from 'vitest'
import { Problem } from '../api/problem'
import { lacks, meant } from './fields'

describe('the fields of a form', () => {
  it.each([
    ['a field that it shows', new Problem('number-invalid', 409, 'number'), 'number'],
    ['a field that it does not show now', new Problem('district-taken', 409, 'district'), null],
    ['a field of another form', new Problem('pin-unfit', 409, 'pin'), null],
    ['no field', new Problem('forbidden', 403), null],
    ['no answer of the server', new Error('number'), null],
  ])('given a refusal that means %s when it is said then it stands where it belongs', (_, error, field) => {
    expect(meant({ number: null, name: 'Write it.', district: undefined }, error)).toBe(field)
  })

  it('given a form when nothing is missing any more then it is sent', () => {
    expect(lacks({ name: 'Write it.', number: null })).toBe(true)
    expect(lacks({ name: false, number: null, district: undefined })).toBe(false)
  })
})
