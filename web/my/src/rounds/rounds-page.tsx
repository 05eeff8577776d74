import type { Own, Place, Round } from '../api/types'
import { type Answer, useAnswer } from '../kept/use-answer'
import { clock, day, digits, moment } from '../language/format'
import { language, named, text } from '../language/language'
import { Call } from '../ui/call'
import { Head } from '../ui/head'
import { Standing } from '../ui/standing'
import { useNumber } from '../ui/use-network'
import { GiveUp, Register } from './act'
import { NextRound } from './next-round'
import { PlaceProof } from './place-proof'

/** Announced rounds, and my places in them. */
export function RoundsPage() {
  const number = useNumber()
  return (
    <>
      <Head name={text.rounds.title} />
      {number ? <Mine key={number} /> : <Rounds />}
      <Call why={text.rounds.register} />
    </>
  )
}

/** Of whoever is signed in. */
function Mine() {
  const own = useAnswer<Own>('')
  return (
    <>
      <Places answer={own} />
      <Rounds own={own} />
      <NextRound />
    </>
  )
}

function Rounds({ own }: { own?: Answer<Own> }) {
  const answer = useAnswer<Round[]>('/rounds')
  const { said } = answer
  return (
    <section aria-labelledby="announced">
      <h2 id="announced">{text.rounds.announced}</h2>
      <Standing answer={answer} />
      {said?.length === 0 ? <p>{text.rounds.noneAnnounced}</p> : null}
      {said?.length ? <ul class="cards">{inOrder(said).map((round) => <Announced key={round.id} round={round} own={own} />)}</ul> : null}
    </section>
  )
}

const UNDER_WAY = new Set<Place['state']>(['waiting', 'calling', 'unconfirmed', 'unreached'])

const OVER_SHOWN = 3

/** What is to come, soonest first, and below it what was last. */
function inOrder(rounds: Round[]): Round[] {
  const past = (round: Round) => round.phase === 'over' || Date.parse(round.ends_at) < Date.now()
  return [...rounds.filter((round) => !past(round)), ...rounds.filter(past).reverse().slice(0, OVER_SHOWN)]
}

const span = (from: string, to: string): string => `${day(from)} ${clock(new Date(from))}–${clock(new Date(to))}`

/** Whether it takes registrations, as far as this telephone's clock knows; the API has the last word. */
const takes = ({ phase, registration_from, registration_until }: Round): boolean =>
  (phase === 'open' || phase === 'live') && Date.parse(registration_from) <= Date.now() && Date.now() < Date.parse(registration_until)

function Announced({ round, own }: { round: Round; own: Answer<Own> | undefined }) {
  const places = own?.said?.places
  const mine = places?.some((place) => place.round_id === round.id && UNDER_WAY.has(place.state))
  return (
    <li>
      <span class={`tag ${round.phase}`}>{text.rounds.phase[round.phase]}</span>
      <h3><a href={`/public/rounds/${round.id}${language === 'en' ? '?lang=en' : ''}`}><bdi>{named(round, 'who')}</bdi></a></h3>
      <p class="when">{span(round.starts_at, round.ends_at)}</p>
      <p class="soft">{text.rounds.registration(moment(round.registration_from), moment(round.registration_until))}</p>
      {own && places && !mine && takes(round) ? <Register round={round} changed={own.again} /> : null}
    </li>
  )
}

function Places({ answer }: { answer: Answer<Own> }) {
  const places = answer.said?.places
  return (
    <section aria-labelledby="mine">
      <h2 id="mine">{text.rounds.mine}</h2>
      <Standing answer={answer} />
      {places?.length === 0 ? <p>{text.rounds.none}</p> : null}
      {places?.length ? <ul class="cards">{places.map((place) => <MyPlace key={place.ticket} place={place} changed={answer.again} />)}</ul> : null}
    </section>
  )
}

function MyPlace({ place, changed }: { place: Place; changed: () => void }) {
  return (
    <li>
      <span class="tag">{text.rounds.state[place.state]}</span>
      <h3><bdi>{place.in_operators_line ? text.rounds.line : named(place, 'office')}</bdi></h3>
      {place.in_operators_line || place.phase === 'planned' ? null : <p class="when">{span(place.starts_at, place.ends_at)}</p>}
      {place.place === null ? null : <p><b>{text.rounds.place(digits(place.place))}</b></p>}
      {UNDER_WAY.has(place.state) ? <p>{place.rounds_missed ? text.rounds.carried : text.rounds.registered(moment(place.registered_at))}</p> : null}
      <p class="soft">{text.rounds.ticket(digits(place.ticket))}</p>
      <PlaceProof ticket={place.ticket} />
      <form class="row" method="post" action={`/public/number${language === 'en' ? '?lang=en' : ''}`}>
        <input type="hidden" name="ticket" value={place.ticket} />
        <button class="quiet">{text.rounds.why}</button>
      </form>
      {UNDER_WAY.has(place.state) && place.state !== 'calling' ? <GiveUp place={place} changed={changed} /> : null}
    </li>
  )
}
