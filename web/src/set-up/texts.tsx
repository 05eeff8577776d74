import { Link } from 'wouter'
import { useLanguage } from '../language/language'
import { Latin } from '../ui/number'
import { type Message, type SetUp, tryText } from './queries'
import { Lines, Section } from './section'
import { TrialForm } from './trial-form'
import style from '../ui/rows.module.css'

const LINES = ['HOTLINE_MESSAGES=/etc/hotline137/messages.toml', '', '# /etc/hotline137/messages.toml', '[sms]', 'provider = "kavenegar" # smsir | melipayamak | ghasedak | ippanel | http', '[kavenegar]', 'key = "…"']

/** Who sends text messages, and one to try it. */
export function Texts({ setUp: { providers, accounts, texts } }: { setUp: SetUp }) {
  const { text, format } = useLanguage()
  const words = text.setUp
  const troubled = accounts.some(({ provider, low, error }) => providers.includes(provider) && (low || error))
  return (
    <Section name="texts" state={providers.length === 0 ? 'missing' : troubled ? 'trouble' : 'well'}>
      {providers.length === 0 && <p className={style.soft}>{words.noProvider}</p>}
      {providers.length > 0 && (
        <>
          <ul className={style.rows}>
            {providers.map((name) => {
              const account = accounts.find(({ provider }) => provider === name)
              const credit = account?.credit
              return (
                <li key={name} className={style.row} style={{ gridTemplateColumns: '1fr 1fr 1.4fr' }} data-testid="provider">
                  <strong><Latin>{name}</Latin></strong>
                  <span>
                    {credit === undefined || credit === null ? text.outbox.creditUnknown : text.outbox.credit(format.number(Math.floor(credit)))}
                    {account?.low && `${text.comma}${text.outbox.creditLow}`}
                  </span>
                  <span className={style.soft}>{account?.error ? <>{text.outbox.notLetIn} <Latin>{account.error}</Latin></> : account && format.aged(account.asked_at)}</span>
                </li>
              )
            })}
          </ul>
          <TrialForm label={words.textNumber} action={words.send} act={tryText} testId="trial-text" />
        </>
      )}
      {texts.length > 0 && <ul className={style.rows} aria-live="polite">{texts.map((message) => <TextRow key={message.id} message={message} />)}</ul>}
      <Link href="/outbox" className={style.leads}>{words.allTexts}</Link>
      <Lines help={words.textLines} lines={LINES} />
    </Section>
  )
}

function TextRow({ message: { id, to, made_at, state, arrival, why, error, provider } }: { message: Message }) {
  const { text, format } = useLanguage()
  return (
    <li className={style.row} style={{ gridTemplateColumns: '150px 150px 1.2fr 1fr' }} data-testid="trial-message" data-id={id} data-state={state}>
      <time className={style.soft} dateTime={made_at}>{format.moment(made_at)}</time>
      <span><Latin>{to}</Latin></span>
      <strong>{state === 'sent' && arrival ? text.outbox.arrival[arrival] : text.citizens.delivery[state]}</strong>
      <span className={style.soft}>
        {why && text.outbox.why[why]}
        {why && error && <> <Latin>{`(${error})`}</Latin></>}
        {provider && <> <Latin>{provider}</Latin></>}
      </span>
    </li>
  )
}
