import { useLanguage } from '../language/language'
import { Latin } from '../ui/number'
import { Notice } from '../ui/notice'
import { earlier } from './earlier'
import { type SetUp, type TrialCall, type Trunk, tryCall } from './queries'
import { Lines, Section } from './section'
import { TrialForm } from './trial-form'
import style from '../ui/rows.module.css'

const LINES = ['HOTLINE_TRUNKS=/etc/hotline137/trunks.toml', '', '# /etc/hotline137/trunks.toml', '[trunk]', 'profile = "registration" # password | address | e164 | tls | pbx', 'host = "sip.carrier.example:5060"', 'user = "…"', 'secret = "…"', 'allowed = ["203.0.113.5"]']

/** The lines to the telephone network, and a call by them. */
export function Trunks({ setUp: { trunks, sample_trunk, calls, calls_down_since, by_proxy, prefixes } }: { setUp: SetUp }) {
  const { text, format } = useLanguage()
  const words = text.setUp
  const troubled = calls_down_since !== null || trunks.some(({ down_since, registered }) => down_since !== null || registered === false)
  const unheard = trunks.some(({ answers }) => answers === null)
  return (
    <Section name="trunk" state={sample_trunk ? 'missing' : troubled ? 'trouble' : unheard ? 'untried' : 'well'}>
      {sample_trunk && <Notice tone="warning">{words.sampleTrunk}</Notice>}
      {calls_down_since && <Notice tone="error" data-testid="calls-down">{words.callsDown(format.moment(calls_down_since))}{by_proxy && <> {words.orProxy}</>}</Notice>}
      <ul className={style.rows}>{trunks.map((trunk) => <TrunkRow key={trunk.name} trunk={trunk} />)}</ul>
      <p className={style.soft}>{words.callHelp} <Latin>{prefixes.join(' ')}</Latin></p>
      <TrialForm label={words.callNumber} action={words.call} act={tryCall} testId="trial-call" trunks={trunks.map(({ name }) => name)} />
      {calls.length > 0 && <ul className={style.rows} aria-live="polite">{calls.map((call) => <CallRow key={call.id} call={call} />)}</ul>}
      <Lines help={words.trunkLines} lines={LINES} />
    </Section>
  )
}

function TrunkRow({ trunk: { name, host, answers, registered, latency_ms, down_since, said, taken, refused } }: { trunk: Trunk }) {
  const { text, format } = useLanguage()
  const words = text.setUp
  const state = down_since ? words.down(format.moment(down_since)) : answers === null ? words.unheard : words.up
  const facts = [
    down_since && (said ? words.trunkSaid(format.digits(said)) : words.trunkSilent),
    !down_since && latency_ms !== null && words.latency(format.number(Math.round(latency_ms))),
    registered !== null && (registered ? words.registered : words.unregistered),
    words.counted(format.number(taken), format.number(refused)),
  ].filter(Boolean)
  return (
    <li className={style.row} style={{ gridTemplateColumns: '1.2fr 1fr 2fr' }} data-testid="trunk" data-name={name}>
      <span><strong><Latin>{name}</Latin></strong> <span className={style.soft}><Latin>{host}</Latin></span></span>
      <span>{state}</span>
      <span className={style.soft}>{facts.join(text.comma)}</span>
    </li>
  )
}

function stepOf({ placed_at, rang_at, answered_at }: TrialCall) {
  if (answered_at) return 'answered'
  if (rang_at) return 'rings'
  return placed_at ? 'placed' : 'asked'
}

function CallRow({ call }: { call: TrialCall }) {
  const { text, format } = useLanguage()
  const words = text.setUp
  const { id, number, asked_at, rang_at, result, trunk, said, tried, cap } = call
  const facts = [
    rang_at && words.rangAt(format.time(rang_at)),
    cap && ((words.caps as Partial<Record<string, string>>)[cap] ?? cap),
    said !== null && said > 0 && words.trunkSaid(format.digits(said)),
  ].filter(Boolean)
  return (
    <li className={style.row} style={{ gridTemplateColumns: '150px 150px 1.2fr 1fr' }} data-testid="trial" data-id={id} data-result={result ?? stepOf(call)}>
      <time className={style.soft} dateTime={asked_at}>{format.moment(asked_at)}</time>
      <span><Latin>{number}</Latin></span>
      <strong>{result ? words.results[result] : words.steps[stepOf(call)]}</strong>
      <span className={style.soft}>
        {trunk && <><Latin>{trunk}</Latin>{facts.length > 0 && text.comma}</>}
        {facts.join(text.comma)}
        {tried && <>{text.comma}{words.tried} <Latin>{earlier(tried, words.triedSilent)}</Latin></>}
      </span>
    </li>
  )
}
