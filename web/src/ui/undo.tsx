import { Button, CloseButton, Group } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { serverNow } from '../api/clock'
import { useLanguage } from '../language/language'
import { ErrorNotice } from './error-notice'
import { Notice } from './notice'
import { useSecondsLeft } from './use-seconds-left'
import style from './undo.module.css'

const MILLISECONDS = 10_000

/** What was done a moment ago, and what takes it back. */
export interface Done {
  said: string
  back: () => Promise<unknown>
}

/** For ten seconds what was done can be taken back with one press. */
export function Undo({ done: { said, back }, onOver }: { done: Done; onOver: () => void }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const [until] = useState(() => new Date(serverNow() + MILLISECONDS).toISOString())
  const left = Math.min(useSecondsLeft(until), MILLISECONDS / 1000)
  const { mutate, isPending, error } = useMutation({
    mutationFn: back,
    onSuccess: () => {
      void queries.invalidateQueries()
      onOver()
    },
  })
  useEffect(() => {
    if (left === 0 && !isPending && !error) onOver()
  }, [left, isPending, error, onOver])
  return (
    <section className={style.over} aria-label={text.takenBack}>
      <Notice tone="plain" data-testid="undo-notice">
        <Group justify="space-between">
          <span role="status">{said}</span>
          {error && left === 0 && <CloseButton aria-label={text.dialog.close} onClick={onOver} data-testid="undo-close" />}
          {left > 0 && <Button variant="default" loading={isPending} onClick={() => mutate()} data-testid="take-it-back">{text.takeItBack(format.number(left))}</Button>}
        </Group>
        <ErrorNotice error={error} />
      </Notice>
    </section>
  )
}
