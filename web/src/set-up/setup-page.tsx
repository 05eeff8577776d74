import { Button } from '@mantine/core'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { sizeOf } from '../recordings/size'
import { BackupFailed } from '../kept/backup-failed'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { Latin } from '../ui/number'
import { Player } from '../ui/player'
import { useTitle } from '../ui/use-title'
import { askBackup, sampleUrl, type SetUp, useSetUp, useTrial } from './queries'
import { Lines, Section } from './section'
import { Texts } from './texts'
import { Trunks } from './trunks'
import style from '../ui/rows.module.css'

const CITY = '/etc/hotline137/city.toml'

/** What an installation needs: what is set, what is missing, and each tried live. It writes no setting. */
export default function SetUpPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.setUp
  useTitle(words.title)
  const query = useSetUp()
  return (
    <div>
      <Header me={me} page="setup"><span /></Header>
      <main className={style.page}>
        <p className={style.soft}>{words.help} <a href="/docs" data-testid="manual">{words.manual}</a></p>
        <ErrorNotice error={query.error} />
        {query.isPending && <Loading />}
        {query.data && (
          <>
            <City setUp={query.data} />
            <Trunks setUp={query.data} />
            <Texts setUp={query.data} />
            <Voice setUp={query.data} />
            <Backup setUp={query.data} />
          </>
        )}
      </main>
    </div>
  )
}

function City({ setUp: { city } }: { setUp: SetUp }) {
  const { text, format, name } = useLanguage()
  const words = text.setUp
  const facts: Fact[] = [
    [words.cityName, name(city)],
    [words.districts, format.number(city.districts)],
    [words.offices, format.number(city.offices)],
    [words.departments, format.number(city.departments)],
  ]
  return (
    <Section name="city" state={city.sample ? 'missing' : 'well'}>
      {city.sample && <Notice tone="warning" data-testid="sample-city">{words.sampleCity}</Notice>}
      <Facts facts={facts} />
      <p className={style.soft}>{words.cityFile} <Latin>{city.file}</Latin></p>
      <Lines help={words.cityLines} lines={[`hotline137 city check ${CITY}`, `hotline137 city load ${CITY}`, '#', `HOTLINE_CITY=${CITY}`]} />
    </Section>
  )
}

function Voice({ setUp: { voices } }: { setUp: SetUp }) {
  const { text } = useLanguage()
  const words = text.setUp
  return (
    <Section name="voice" state={voices.every(({ sample }) => sample) ? 'well' : 'missing'}>
      <ul className={style.rows}>
        {voices.map(({ language, voice, sample }) => (
          <li key={language} className={style.row} style={{ gridTemplateColumns: '1fr 1.4fr 1.6fr' }} data-testid="voice" data-language={language}>
            <strong>{words.languages[language]}</strong>
            <span>{words.voices[voice]}</span>
            {sample ? <Player src={sampleUrl(language)} label={words.sample(words.languages[language])} broken={words.sampleBroken} /> : <span className={style.soft}>{words.noSample}</span>}
          </li>
        ))}
      </ul>
      <Lines help={words.voiceLines} lines={['hotline137 prompts voice https://… --sha256 …', 'hotline137 prompts build']} />
    </Section>
  )
}

function Backup({ setUp: { backup, backup_dir } }: { setUp: SetUp }) {
  const { text, format } = useLanguage()
  const words = text.setUp
  const ask = useTrial(askBackup)
  const waits = backup.asked_at !== null
  const facts: Fact[] = [
    [text.kept.lastGood, backup.good_at ? format.aged(backup.good_at) : text.kept.never],
    [words.folder, backup_dir ? <Latin>{backup_dir}</Latin> : words.noFolder],
  ]
  if (backup.ok && backup.size !== null) facts.push([words.size, sizeOf(backup.size, text.retention, format)])
  const state = !backup.wanted ? 'missing' : backup.ok === false ? 'trouble' : backup.good_at ? 'well' : 'missing'
  return (
    <Section name="backup" state={state}>
      <Facts facts={facts} />
      <BackupFailed backup={backup} />
      {!backup.wanted && <Notice tone="warning">{text.kept.unwanted}</Notice>}
      {backup.wanted && !backup.encrypted && <Notice tone="warning">{text.kept.plain}</Notice>}
      {backup.wanted && (
        <div className={style.bar}>
          <Button variant="light" loading={ask.isPending} disabled={waits} onClick={() => ask.mutate()} data-testid="backup-now">{words.backUp}</Button>
        </div>
      )}
      <div role="status" className="live">{waits && <Notice tone="plain" data-testid="backup-asked">{words.backupWaits}</Notice>}</div>
      <ErrorNotice error={ask.error} />
      <Lines help={words.backupLines} lines={['HOTLINE_BACKUP_DIR=/mnt/backup/hotline137', 'HOTLINE_BACKUP_RECIPIENT=age1…']} />
    </Section>
  )
}
