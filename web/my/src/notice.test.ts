import { expect, test } from 'vitest'
import { addressOf, noticeOf } from './notice'

test('given a notice of a request when it is shown then it says which one and leads there', () => {
  const said = { title: 'Citizen 137', body: 'There is news', request: '123456789', tag: '7', language: 'en' }
  const shown = noticeOf({ json: () => said })
  expect(shown).toMatchObject({ title: 'Citizen 137', body: 'There is news', tag: '7', lang: 'en', dir: 'ltr' })
  expect(addressOf(shown.data)).toBe('/my/requests/123456789')
})

test.each([null, { json: () => { throw new SyntaxError('x') } }, { json: () => null }, { json: () => ({ title: 7, request: ['x'] }) }])(
  'given something else %# when it comes then something is shown, and it leads to the list', (data) => {
    const shown = noticeOf(data)
    expect(shown.title).toBe('137')
    expect(addressOf(shown.data)).toBe('/my/requests')
  })

test.each(['https://evil.example', '../../x', '12345678901', '', 5])('given the request %s when it is opened then it is the list', (request) => {
  expect(addressOf(request)).toBe('/my/requests')
})
