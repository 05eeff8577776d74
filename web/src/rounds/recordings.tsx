import { Paper } from '@mantine/core'
import { useLanguage } from '../language/language'
import { useRecordings } from '../recordings/queries'
import { RecordingItem } from '../recordings/recording-item'
import { ErrorNotice } from '../ui/error-notice'
import cards from '../ui/cards.module.css'

/** The recorded conversations of a round, to be heard. */
export function Recordings({ id }: { id: number }) {
  const { text } = useLanguage()
  const { data, error } = useRecordings(id)
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="recordings-title" data-testid="recordings">
      <h2 id="recordings-title">{text.recordings.title}</h2>
      <p className={cards.more}>{data?.length === 0 ? text.recordings.none : text.recordings.logged}</p>
      <ErrorNotice error={error} />
      <ul className={cards.plain}>
        {data?.map((recording) => <RecordingItem key={recording.callback_id} recording={recording} />)}
      </ul>
    </Paper>
  )
}
