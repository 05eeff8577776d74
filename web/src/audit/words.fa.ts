export const words = {
  audit: {
    title: 'رویدادنامه',
    who: 'چه کسی',
    anybody: 'همه',
    commandLine: 'خط فرمان',
    action: 'چه کاری',
    anyAction: 'همهٔ کارها',
    subject: 'با چه',
    anySubject: 'همه چیز',
    subjects: {
      person: 'فرد', desk: 'میز', number: 'شماره', round: 'دور', registration: 'ثبت‌نام', callback: 'تماس', message: 'پیامک', request: 'گزارش شهری',
      department: 'اداره',
      official: 'مسئول', rule: 'قاعدهٔ زمان‌بندی', audit: 'رویدادنامه', reports: 'آمار', address: 'نشانی شبکه',
    },
    which: 'کدام',
    export: 'خروجی برای اکسل (CSV)',
    none: 'چیزی با این مشخصات ثبت نشده است.',
    end: 'آغاز گزارش',
  },
}
