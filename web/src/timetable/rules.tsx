import { Button } from '@mantine/core'
import { useState } from 'react'
import { useOfficials } from '../api/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { ReasonDialog } from '../ui/reason-dialog'
import { changeRule, type Rule, useRules } from './queries'
import { RuleCard } from './rule-card'
import { RuleForm } from './rule-form'
import style from './timetable.module.css'

type Asked = { what: 'add' } | { what: 'change' | 'stop'; rule: Rule } | null

/** The rules of the timetable: added, changed, stopped. */
export function Rules({ may, today }: { may: boolean; today: string }) {
  const { text } = useLanguage()
  const words = text.rules
  const { data: rules, error } = useRules()
  const { data: officials } = useOfficials()
  const [asked, setAsked] = useState<Asked>(null)
  const close = () => setAsked(null)
  const active = rules?.filter((rule) => rule.active) ?? []
  const stopped = rules?.filter((rule) => !rule.active) ?? []
  return (
    <section aria-labelledby="rules-title" className={style.rules}>
      <div className={style.head}>
        <h2 id="rules-title">{words.title}</h2>
        {may && <Button disabled={!officials} onClick={() => setAsked({ what: 'add' })} data-testid="add-rule">{words.add}</Button>}
      </div>
      <p className={style.soft}>{words.help}</p>
      <ErrorNotice error={error} />
      {rules?.length === 0 && <p className={style.soft}>{words.none}</p>}
      {[...active, ...stopped].map((rule) => (
        <RuleCard
          key={rule.id} rule={rule} officials={officials ?? []} today={today} may={may}
          onChange={() => setAsked({ what: 'change', rule })} onStop={() => setAsked({ what: 'stop', rule })}
        />
      ))}
      {asked?.what === 'add' && officials && <RuleForm officials={officials} today={today} onClose={close} />}
      {asked?.what === 'change' && officials && <RuleForm rule={asked.rule} officials={officials} today={today} onClose={close} />}
      {asked?.what === 'stop' && (
        <ReasonDialog
          title={words.stopTitle(asked.rule.name)} help={words.stopHelp} action={words.stop} color="brick" about={text.rounds.reasonPublic}
          act={(reason) => changeRule(asked.rule.id, { active: false, reason })} onClose={close}
        />
      )}
    </section>
  )
}
