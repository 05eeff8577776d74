import { Button, NativeSelect } from '@mantine/core'
import type { Desk } from '../api/types'
import { useLanguage } from '../language/language'
import { REASONS } from '../desks/break-reasons'
import { ErrorNotice } from '../ui/error-notice'
import { RunningTime } from '../ui/number'
import { useNow } from '../ui/use-now'
import { useBreakWord } from '../desks/use-desk-words'
import { useBreak } from './use-break'
import { WrapUp } from './wrap-up'
import style from './break-choice.module.css'

/** A break with its reason: meanwhile nobody is brought to the desk. It ends by itself with «next». Or that the desk is in wrap-up. */
export function BreakChoice({ desk }: { desk: Desk }) {
  const { text, format } = useLanguage()
  const words = text.breaks
  const wordOf = useBreakWord()
  const now = useNow(desk.break_since !== null)
  const take = useBreak()
  return (
    <div className={style.break} role="group" aria-label={words.title} data-testid="break" data-reason={desk.break_reason ?? 'none'}>
      <WrapUp desk={desk} />
      <NativeSelect
        aria-label={words.title} title={desk.break_since ? words.help : undefined} value={desk.break_reason ?? ''} disabled={take.isPending} data-testid="break-reason"
        data={[{ value: '', label: words.none }, ...REASONS.map((value) => ({ value, label: wordOf(value) }))]}
        onChange={({ currentTarget: { value } }) => take.mutate(REASONS.find((one) => one === value) ?? null)}
      />
      {desk.break_since && (
        <>
          <RunningTime>{format.duration(now - Date.parse(desk.break_since))}</RunningTime>
          <Button disabled={take.isPending} onClick={() => take.mutate(null)} data-testid="break-over">{words.over}</Button>
        </>
      )}
      <ErrorNotice error={take.error} />
    </div>
  )
}
