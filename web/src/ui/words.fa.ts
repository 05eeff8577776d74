import { city } from '../../shared/language/city'

/** What the head and the parts of every page say. */
export const words = {
  connectionLost: 'ارتباط با سامانه قطع شد. در حال تلاش برای وصل شدن…',
  broken: {
    part: 'این بخش از صفحه نمایش داده نشد. شاید نسخهٔ تازه‌ای از سامانه نصب شده باشد.', page: 'این صفحه نمایش داده نشد. شاید نسخهٔ تازه‌ای از سامانه نصب شده باشد.',
    loadAgain: 'بارگذاری دوبارهٔ صفحه', toAccount: 'حساب من',
  },
  fields: { missing: 'این را بنویسید.', choose: 'یکی را انتخاب کنید.' },
  clock: `ساعت ${city.name.fa}`,
  scheme: { is: (now: string) => `ظاهر صفحه: ${now}`, auto: 'مانند دستگاه', light: 'روشن', dark: 'تیره' },
  takenBack: 'آنچه انجام شد',
  takeItBack: (left: string) => `برگرداندن (${left} ثانیه)`,
  player: { play: 'پخش', pause: 'مکث', position: 'جای پخش', letter: (letter: string) => `پخش و مکث: ${letter}` },
  dialog: { keep: 'انصراف', close: 'بستن', reason: 'دلیل' },
  filters: { from: 'از روز', until: 'تا روز', anyDay: 'هر روز', clear: 'پاک کردن فیلترها' },
  loadMore: 'نمایش بیشتر',
  time: { hour: 'ساعت', wrong: 'ساعت را مانند ۰۹:۳۰ بنویسید.' },
  secret: { code: 'کد', show: 'نمایش رمز عبور' },
}
