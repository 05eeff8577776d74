import { QueryObserver } from '@tanstack/react-query'
import { afterEach, expect, it, vi } from 'vitest'
import { report } from './connection'
import { queryClient } from './query-client'

afterEach(() => {
  queryClient.clear()
  report({ api: true })
})

/** A question whose answers come when the test says so. */
function question() {
  const answers: ((answer: string) => void)[] = []
  const ask = vi.fn(() => new Promise<string>((answer) => answers.push(answer)))
  const observer = new QueryObserver(queryClient, { queryKey: ['line', 7], queryFn: ask })
  const leave = observer.subscribe(() => undefined)
  return { ask, answers, leave, known: () => observer.getCurrentResult().data }
}

it('given a first answer on its way when what is asked changes then it is asked once more, and the newer answer stays', async () => {
  const { ask, answers, leave, known } = question()
  const changed = Promise.all([queryClient.invalidateQueries({ queryKey: ['line'] }), queryClient.invalidateQueries()])
  answers[0]?.('before')
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2))
  answers[1]?.('after')
  await changed
  expect(known()).toBe('after')
  expect(ask).toHaveBeenCalledTimes(2)
  leave()
})

it('given a first answer on its way when something else changes then it is asked only once', async () => {
  const { ask, answers, leave, known } = question()
  await queryClient.invalidateQueries({ queryKey: ['rounds'] })
  answers[0]?.('true')
  await vi.waitFor(() => expect(known()).toBe('true'))
  expect(ask).toHaveBeenCalledOnce()
  leave()
})

it('given an answer that was asked for ahead when what is asked changes then who looks later asks once more', async () => {
  const answers: ((answer: string) => void)[] = []
  const ask = vi.fn(() => new Promise<string>((answer) => answers.push(answer)))
  const options = { queryKey: ['line', 7], queryFn: ask }
  const ahead = queryClient.query(options)
  const changed = queryClient.invalidateQueries()
  answers[0]?.('before')
  await Promise.all([ahead, changed])
  const observer = new QueryObserver(queryClient, options)
  const leave = observer.subscribe(() => undefined)
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2))
  answers[1]?.('after')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('after'))
  leave()
})

it('given a network that is gone when what is asked changes then nobody waits for an answer that may never come', async () => {
  const { leave, known } = question()
  const changed = queryClient.invalidateQueries()
  report({ api: false })
  await changed
  await queryClient.invalidateQueries()
  expect(known()).toBeUndefined()
  leave()
})
