import type { words as fa } from './words.fa'

export const words: typeof fa = {
  officials: {
    title: 'Officials',
    add: 'New official',
    none: 'There is no official yet.',
    change: 'Change',
    kind: { mayor: 'Mayor', deputy: 'Deputies', district_manager: 'District managers', operators: 'Operators' },
    oneKind: { mayor: 'Mayor', deputy: 'Deputy', district_manager: 'District manager', operators: 'Operator' },
    form: {
      kind: 'Office',
      district: 'District',
      fa: 'Persian name',
      en: 'English name',
      clip: 'Name on the telephone',
      clipHelp: 'What callers hear. A name that is not here must be added to the prompts first.',
      number: 'Telephone (optional)',
      numberHelp: 'Desks may call it into a conversation with a citizen.',
      save: 'Save',
    },
    heard: (words) => `On the telephone: “${words}”`,
    clipMissing: 'There is no prompt that says this name; callers do not hear it.',
    inactive: 'inactive',
    deactivated: (name) => `${name} is not active any more.`,
    deactivate: 'Deactivate',
    activate: 'Activate',
    deactivateHelp: 'No new rounds are made for an inactive official; past rounds stay.',
  },
}
