//! French.

use super::{Template, Words};

pub(super) const FRENCH: Words = Words {
    tag: "fr",
    confirmation: Template {
        subject: "Est-ce votre boîte ? Un certificat de {name}",
        text: "\
Quelqu'un veut un certificat de {name} pour cette boîte aux lettres.

{asked}
Si c'était vous, ouvrez ce lien dans le navigateur où vous l'avez demandé,
puis appuyez sur le bouton :

{link}

Ou tapez ce code dans la page ou le programme où vous l'avez demandé :

    {code}

Les deux sont valables jusqu'au {until}.

Si ce n'était pas vous, ne faites rien. Ne donnez le code à personne : qui
vous le demande veut un certificat à votre nom.
",
    },
    certificate: Template {
        subject: "Votre certificat de {name}",
        text: "\
Voici le certificat pour cette boîte aux lettres.

  certificate.cer   le certificat seul
  certificate.p7c   le même avec les certificats supérieurs, tel que les
                    programmes de messagerie l'importent

Il est valable jusqu'au {ends}. Sa clé privée n'a jamais
quitté l'appareil qui l'a demandé ; sans elle, personne ne peut utiliser
ces fichiers.
",
    },
    notice: Template {
        subject: "{name} a émis un certificat pour votre boîte",
        text: "\
{name} a émis un certificat pour cette boîte aux lettres.

{asked}
Si c'était vous, il n'y a rien à faire. Gardez ce message : si la clé est
perdue ou volée, ou si ce n'était pas vous, la page de ce lien révoque le
certificat :

{link}
",
    },
    signature: "{name}, {url}\nCe message a été écrit par une machine ; personne ne lit les réponses.\n",
    who_asked: "Demandé par",
    their_key: "Sa clé",
    serial_number: "N° de série",
    devices: &[("a browser", "un navigateur"), ("a program", "un programme"), (" on ", " sur "), (" an ", " un ")],
};
