import { Button, Checkbox, Group, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { useFields } from '../ui/use-fields'
import { catchUp, type Rule, useBehind } from './queries'
import style from './timetable.module.css'

/** The rounds that a rule made before it was changed: they stay as they are, or are brought in line. */
export function Behind({ rule }: { rule: Rule }) {
  const { data = [] } = useBehind(rule.id)
  return data.length > 0 ? <Choice rule={rule} rounds={data} /> : null
}

function Choice({ rule, rounds }: { rule: Rule; rounds: Round[] }) {
  const { text, format, office, hours } = useLanguage()
  const words = text.rules
  const queries = useQueryClient()
  const [left, setLeft] = useState<number[]>([])
  const [reason, setReason] = useState('')
  const [shortNotice, setShortNotice] = useState(false)
  const chosen = rounds.map(({ id }) => id).filter((id) => !left.includes(id))
  const act = useMutation({
    mutationFn: () => catchUp(rule.id, chosen, reason.trim(), shortNotice),
    onSuccess: () => queries.invalidateQueries(),
  })
  const { at, rest, send } = useFields({ reason: !reason.trim() && text.fields.missing, short_notice: null }, act.error)
  return (
    <Notice tone="warning" data-testid="behind">
      <div className={style.behind}>
        <h4>{words.behindTitle}</h4>
        <p>{words.behindHelp}</p>
        {rounds.map((round) => (
          <Checkbox
            key={round.id} checked={!left.includes(round.id)}
            label={`${format.longDate(round.starts_at)}${text.comma}${hours(round)}${text.comma}${office(round.official)}`}
            onChange={(event) => setLeft(event.currentTarget.checked ? left.filter((id) => id !== round.id) : [...left, round.id])}
          />
        ))}
        <Textarea
          {...at('reason')} label={text.dialog.reason} description={text.rounds.reasonPublic} value={reason} maxLength={500} autosize minRows={1}
          data-testid="catch-up-reason" onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Checkbox {...at('short_notice')} label={text.rounds.form.shortNotice} checked={shortNotice} onChange={(event) => setShortNotice(event.currentTarget.checked)} />
        <ErrorNotice error={rest} />
        <Group justify="flex-end">
          <Button disabled={chosen.length === 0} loading={act.isPending} onClick={() => send(act.mutate)} data-testid="catch-up">
            {words.catchUp}
          </Button>
        </Group>
      </div>
    </Notice>
  )
}
