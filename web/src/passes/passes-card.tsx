import { Button, Group, Paper } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { ErrorNotice } from '../ui/error-notice'
import { Tag } from '../ui/tag'
import { LinkDialog } from './link-dialog'
import { PassForm } from './pass-form'
import { endPass, type Pass, passPictureUrl, type Side, usePasses } from './queries'
import style from '../requests/requests.module.css'

interface Props {
  side: Side
  id: number
  /** What the body reads first. */
  written: string
  may: boolean
}

type Tone = Parameters<typeof Tag>[0]['tone']
const TONES: Record<Pass['state'], Tone> = {
  waiting: 'warning', seen: 'warning', received: 'quiet', answered: 'apart', done: 'good', expired: 'accent', withdrawn: 'warning',
}

/** The bodies outside the city to which a request was passed on, and what they say; whoever passed it on stays responsible. */
export function PassesCard({ side, id, written, may }: Props) {
  const { text } = useLanguage()
  const words = text.passes
  const { data: passes, error } = usePasses(side, id)
  const [form, setForm] = useState<Pass | 'new' | null>(null)
  const [link, setLink] = useState<string | null>(null)
  const [ending, setEnding] = useState<Pass | null>(null)
  if (!error && (!passes || (passes.length === 0 && !may))) return null
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="passes-title" data-testid="passes">
      <h2 id="passes-title">{words.title}</h2>
      <ErrorNotice error={error} />
      {may && <p className={style.soft}>{words.help}</p>}
      {passes && passes.length > 0 && (
        <ul className={style.plain}>
          {passes.map((pass) => (
            <Item key={pass.id} side={side} request={id} pass={pass} onEnd={() => setEnding(pass)} onAgain={may ? () => setForm(pass) : undefined} />
          ))}
        </ul>
      )}
      {may && (form === null
        ? <Group><Button variant="default" onClick={() => setForm('new')} data-testid="to-pass-on">{words.passOn}</Button></Group>
        : (
          <PassForm
            key={form === 'new' ? 0 : form.id} side={side} id={id} written={written} again={form === 'new' ? undefined : form}
            onClose={() => setForm(null)}
            onDone={(made) => {
              setForm(null)
              setLink(made)
            }}
          />
        ))}
      {link && <LinkDialog link={link} onClose={() => setLink(null)} />}
      {ending && (
        <ConfirmDialog
          title={words.endTitle(ending.body)} help={words.endHelp} action={words.end} color="brick"
          act={() => endPass(side, id, ending.id)} onClose={() => setEnding(null)}
        />
      )}
    </Paper>
  )
}

interface ItemProps {
  side: Side
  request: number
  pass: Pass
  onEnd: () => void
  onAgain?: () => void
}

function Item({ side, request, pass, onEnd, onAgain }: ItemProps) {
  const { text, format } = useLanguage()
  const words = text.passes
  const { state, open, mine } = pass
  const made = words.made(format.moment(pass.made_at))
  return (
    <li className={style.probable} data-testid="pass" data-state={state} data-open={open}>
      <span className={style.tags}><strong dir="auto">{pass.body}</strong> <Tag tone={TONES[state]}>{words.state[state]}</Tag></span>
      <span className={style.soft}>
        {made}{text.comma}{open ? words.until(format.date(pass.expires_at)) : words.over}
        {pass.contact && <>{text.comma}<bdi>{pass.contact}</bdi></>}
      </span>
      {pass.answer && <Said when={pass.answered_at} said={pass.answer} />}
      {pass.done && <Said when={pass.done_at} said={pass.done} />}
      {pass.pictures.length > 0 && (
        <ul className={style.pictures} data-testid="pass-pictures">
          {pass.pictures.map((picture, index) => (
            <li key={picture.id}>
              <a href={passPictureUrl(side, request, picture.id)} target="_blank" rel="noreferrer">
                <img
                  src={passPictureUrl(side, request, picture.id)} width={picture.width} height={picture.height} loading="lazy"
                  alt={words.picture(pass.body, format.number(index + 1))}
                />
              </a>
            </li>
          ))}
        </ul>
      )}
      <Group gap={8}>
        {mine && open && <Button size="compact-md" variant="light" color="brick" onClick={onEnd} data-testid="end-pass">{words.end}</Button>}
        {onAgain && <Button size="compact-md" variant="default" onClick={onAgain} data-testid="pass-again">{words.again}</Button>}
      </Group>
    </li>
  )
}

function Said({ when, said }: { when: string | null; said: string }) {
  const { format } = useLanguage()
  return (
    <div>
      <p className={style.said} dir="auto">{said}</p>
      {when && <span className={style.soft}>{format.moment(when)}</span>}
    </div>
  )
}
