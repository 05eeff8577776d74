import { Button, Group } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type OfficialWithNumber, useOfficials } from '../api/city'
import { mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { type Offer, useUndo } from '../ui/use-undo'
import { OfficialForm } from './official-form'
import { changeOfficial, useClips } from './queries'
import cards from '../ui/cards.module.css'
import style from './officials.module.css'

const KINDS = ['mayor', 'deputy', 'district_manager'] as const

/** The offices that answer citizens, by rank and district. */
export default function OfficialsPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.officials
  useTitle(words.title)
  const { data: officials, error } = useOfficials()
  const named = !useClips().isPending // what each is called on the telephone may be a line more
  const [asked, setAsked] = useState<OfficialWithNumber | 'new' | null>(null)
  const may = mayPlan(me.role)
  const { offer, undo } = useUndo()
  return (
    <div>
      {undo}
      <Header me={me} page="officials">
        {may && <Button onClick={() => setAsked('new')} data-testid="add-official">{words.add}</Button>}
      </Header>
      <main className={cards.list}>
        <ErrorNotice error={error} />
        {!(officials && (named || officials.length === 0)) && !error && <Loading />}
        {officials?.length === 0 && <Empty action={may && <Button variant="light" onClick={() => setAsked('new')}>{words.add}</Button>}>{words.none}</Empty>}
        {officials && officials.length > 0 && named && KINDS.map((kind) => (
          <section key={kind} aria-labelledby={`kind-${kind}`}>
            <h2 id={`kind-${kind}`}>{words.kind[kind]}</h2>
            <ul className={cards.items}>
              {officials.filter((official) => official.kind === kind).map((official) => (
                <Office key={official.id} official={official} may={may} offer={offer} onChange={() => setAsked(official)} />
              ))}
            </ul>
          </section>
        ))}
      </main>
      {asked && <OfficialForm official={asked === 'new' ? undefined : asked} onClose={() => setAsked(null)} />}
    </div>
  )
}

function Office({ official, may, offer, onChange }: { official: OfficialWithNumber; may: boolean; offer: Offer; onChange: () => void }) {
  const { code, text, office } = useLanguage()
  const words = text.officials
  const queries = useQueryClient()
  const { data: clips } = useClips()
  const clip = clips?.find(({ id }) => id === official.clip)
  const turn = useMutation({
    mutationFn: ({ id, active }: OfficialWithNumber) => changeOfficial(id, { active: !active }),
    onSuccess: (_, one) => {
      void queries.invalidateQueries()
      if (one.active) offer({ said: words.deactivated(office(one)), back: () => changeOfficial(one.id, { active: true }) })
    },
  })
  const other = code === 'fa' ? official.office_en : official.office_fa
  return (
    <li className={style.item} data-testid="official" data-id={official.id}>
      <span>
        <strong>{office(official)}</strong> <bdi lang={code === 'fa' ? 'en' : 'fa'} className={style.other}>{other}</bdi>
      </span>
      <span className={cards.counts}>
        {clip ? words.heard(clip.spoken[code] ?? '') : clips && <Tag tone="warning">{words.clipMissing}</Tag>}
      </span>
      <Group gap="xs">
        {!official.active && <Tag tone="quiet">{words.inactive}</Tag>}
        {may && <Button variant="default" size="compact-md" onClick={onChange} data-testid="change-official">{words.change}</Button>}
        {may && (
          <Button
            variant="subtle" size="compact-md" color={official.active ? 'brick' : 'turquoise'} loading={turn.isPending} title={words.deactivateHelp}
            onClick={() => turn.mutate(official)} data-testid="turn-official"
          >
            {official.active ? words.deactivate : words.activate}
          </Button>
        )}
      </Group>
      <ErrorNotice error={turn.error} />
    </li>
  )
}
